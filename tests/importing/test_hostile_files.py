"""Files as they really come. Each is refused by row and reason, and nothing of it is stored."""

from __future__ import annotations

from typing import Any

import pytest

from tests.importing.desk import PROVIDERS, VISIT_COLUMNS, Desk, counts, said

HEAD = f"{VISIT_COLUMNS}\n"
GOOD = "V7,P1,ALPHA,2026-11-24,09:00,09:30,C1,30,\n"


def visit(**changed: str) -> str:
    """A good row of a visit but for what is changed."""
    cells = (
        dict(zip(VISIT_COLUMNS.split(","), GOOD.strip().split(","), strict=True)) | {"ref": "V8"} | changed
    )
    return ",".join(cells.values()) + "\n"


# What is wrong: what is sent after the good row, and what is said of it.
BAD_ROWS: dict[str, tuple[str, str]] = {
    "an Excel date": (
        visit(date="46349"),
        "3: date: 46349 is Excel's number for 2026-11-23; format the column as text, YYYY-MM-DD",
    ),
    "an Excel time": (
        visit(start="0.375"),
        "3: start: 0.375 is Excel's number for 09:00; format the column as text, HH:MM",
    ),
    "an American date": (
        visit(date="11/23/2026"),
        "3: date: 11/23/2026 is no day of the calendar; write YYYY-MM-DD, or DD/MM/YYYY",
    ),
    "a two-digit year": (
        visit(date="23/11/26"),
        "3: date: 23/11/26 has a two-digit year; write YYYY-MM-DD, or DD/MM/YYYY",
    ),
    "a day that never was": (
        visit(date="2026-02-30"),
        "3: date: 2026-02-30 is no day of the calendar; write YYYY-MM-DD, or DD/MM/YYYY",
    ),
    "a reference that lost its zeros": (
        visit(service_user_ref="2"),
        "3: service_user_ref 2 is not known; is 0002 meant?",
    ),
    "a reference in short scientific form": (
        visit(ref="1.23457E+11"),
        "3: ref: 1.23457E+11 is a long number shortened by a spreadsheet; format the column as text",
    ),
    "an unknown person": (visit(service_user_ref="P9"), "3: service_user_ref P9 is not known"),
    "an unknown provider": (visit(provider_ref="GAMMA"), "3: provider_ref GAMMA is not known"),
    "two unknown care workers": (
        visit(care_worker_refs="C9;C1;C8"),
        "3: care_worker_refs C8, C9 is not known",
    ),
    "an end before the start": (
        visit(start="09:30", end="09:00"),
        "3: end: 09:00 is before the start 09:30; if the next day is meant, write 2026-11-25 09:00",
    ),
    "an end that is the start": (
        visit(start="09:30", end="09:30"),
        "3: end: 09:30 is the start; a visit takes some time",
    ),
    "more than a day": (
        visit(end="2026-11-25 09:01"),
        "3: end: 2026-11-25 09:01 is not within 24 hours after the start",
    ),
    "01:30 on the night it never was": (
        visit(date="2026-03-29", start="01:30", end="02:30"),
        "3: start: 01:30 does not exist on 2026-03-29, when clocks go forward",
    ),
    "an end on the night it never was": (
        visit(date="2026-03-28", start="23:00", end="01:30"),
        "3: end: 01:30 does not exist on 2026-03-29, when clocks go forward",
    ),
    "NUL": (
        visit(service_user_ref="P\x001"),
        "3: service_user_ref: has a character that cannot be seen (U+0000)",
    ),
    "a character nobody sees": (
        visit(ref="V\u200b8"),
        "3: ref: has a character that cannot be seen (U+200B)",
    ),
    "an error of the spreadsheet": (
        visit(service_user_ref="#N/A"),
        "3: service_user_ref: #N/A is an error of the spreadsheet, not a value",
    ),
    "an empty reference": (visit(ref="  "), "3: ref: is empty or missing"),
    "a reference of 65 characters": (visit(ref="V" * 65), "3: ref: is longer than 64 characters"),
    "no number": (visit(commissioned_minutes="half"), "3: commissioned_minutes: half is not a whole number"),
    "digits of another script": (
        visit(commissioned_minutes="٣٠"),
        "3: commissioned_minutes: ٣٠ is not a whole number",
    ),
    "neither yes nor no": (visit(cancelled="maybe"), "3: cancelled: maybe is neither yes nor no"),
    "two things at once": (
        visit(date="soon", end="25:00"),
        "3: date: soon is not a date; write YYYY-MM-DD, or DD/MM/YYYY; end: 25:00 is no time of day; write HH:MM",
    ),
    "a short row": ("V8,P1,ALPHA\n", "3: the row has 3 cells and the header 9; is the end cut off?"),
    "a long row": (visit().strip() + ",surplus\n", "3: the row has 10 cells and the header only 9"),
    "a huge cell": (visit(ref="V" * 20_000), "3: a cell is longer than 10,000 characters"),
    "after a blank line, as Excel counts": (
        "\n,,,,,,,,\n" + visit(provider_ref="GAMMA"),
        "5: provider_ref GAMMA is not known",
    ),
    "after a cell of two lines, as Excel counts": (
        visit(ref='"V\n8"') + visit(ref="V9", provider_ref="GAMMA"),
        "4: provider_ref GAMMA is not known",
    ),
}


@pytest.mark.parametrize("trouble", BAD_ROWS)
async def test_a_bad_row_is_named_with_its_reason(shared: Desk, trouble: str) -> None:
    sent, reason = BAD_ROWS[trouble]
    before = await shared.everything()
    report = await shared.bring("visits", HEAD + GOOD + sent)
    assert said(report) == [reason]
    assert not report.written
    assert await shared.everything() == before


async def test_both_rows_with_one_reference_are_named(staffed: Desk) -> None:
    report = await staffed.bring("visits", HEAD + GOOD + visit() + GOOD)
    assert said(report) == ["2: ref V7 is on rows 2, 4", "4: ref V7 is on rows 2, 4"]
    assert (report.new, report.written) == (1, False)


async def test_good_rows_are_taken_where_that_was_asked_for(staffed: Desk) -> None:
    report = await staffed.bring("visits", HEAD + GOOD + visit(date="46349"), skip_rejected=True)
    assert (report.new, report.rejected, report.written) == (1, 1, True)
    assert await staffed.value("SELECT count(*) FROM visits WHERE ref IN ('V7', 'V8')") == 1


UTF16 = (HEAD + GOOD + visit(provider_ref="GAMMA")).encode("utf-16")
LONG_TAIL = GOOD.encode() * 3

# What is wrong: the file, and where and why it stops being readable.
BAD_FILES: dict[str, tuple[bytes, str]] = {
    "an old Windows code page": (
        (HEAD + GOOD).encode()
        + "V8,P1,ALPHA,2026-11-24,09:00,09:30,C\x92,30,\n".encode("latin-1")
        + LONG_TAIL,
        "3: byte 0x92 is not UTF-8 (in Windows-1252 it would be ’); save it as CSV UTF-8",
    ),
    "UTF-16 without its mark": (
        (HEAD + GOOD).encode("utf-16-le"),
        "1: this looks like UTF-16 without its byte order mark; save it as CSV UTF-8",
    ),
    "UTF-16 that breaks off": (
        (HEAD + GOOD + "V8,P1").encode("utf-16")[:-1],
        "3: the text breaks off or is not UTF-16-LE; save it as CSV UTF-8",
    ),
    "a workbook": (
        b"PK\x03\x04\x14\x00\x06\x00",
        "1: this is an Excel workbook or a zip file, not text; save it as CSV UTF-8",
    ),
    "nothing at all": (b"", "1: the file is empty"),
    "a quotation mark never closed": (
        (HEAD + GOOD + 'V8,P1,"ALPHA,2026-11-24\n').encode() + LONG_TAIL,
        "3: the row is not CSV: a quotation mark is opened and never closed",
    ),
    "text after a quotation mark": (
        (HEAD + GOOD + 'V8,"P1" or so,ALPHA\n').encode(),
        "3: the row is not CSV: there is text after a closing quotation mark; a quotation mark within a cell is"
        " doubled",
    ),
    "a line without end": (
        (HEAD + GOOD).encode() + b"," * 1_100_000,
        "3: the row is longer than 1,048,576 bytes",
    ),
    "rows in one endless quoted row": (
        (HEAD + GOOD).encode() + b'"a\n",' * 400_000,
        "3: the row is longer than 1,048,576 characters",
    ),
    "old Macintosh line ends": (
        (HEAD + GOOD).replace("\n", "\r").encode(),
        "1: the row is not CSV: the lines end as on old Macintoshes; save it as CSV UTF-8",
    ),
    "a column twice": (
        HEAD.replace("cancelled", "date").encode(),
        "1: the column date appears more than once",
    ),
    "no header": (
        GOOD.encode(),
        "1: the column date, end, provider_ref, ref, service_user_ref, start is missing; the file has v7, p1, alpha,"
        " 2026_11_24, 09:00, 09:30, c1, 30",
    ),
    "an empty first line": (
        ("\n" + HEAD + GOOD).encode(),
        "1: the file begins with an empty line where the column names should stand",
    ),
}


@pytest.mark.parametrize("trouble", BAD_FILES)
async def test_a_file_that_cannot_be_read_to_its_end_is_not_taken_at_all(shared: Desk, trouble: str) -> None:
    file, reason = BAD_FILES[trouble]
    before = await shared.everything()
    report = await shared.bring("visits", file, skip_rejected=True)
    assert said(report) == [reason]
    assert not report.written
    assert await shared.everything() == before


ITEM = (
    '{"ref": "V7", "service_user_ref": "P1", "provider_ref": "ALPHA", "date": "2026-11-24", "start": "09:00",'
    ' "end": "09:30"}'
)


def but(old: str, new: str) -> str:
    """The item with something else in one place, in an array."""
    assert old in ITEM
    return f"[{ITEM.replace(old, new)}]"


BAD_JSON: dict[str, tuple[str | bytes, list[str]]] = {
    "a number for a reference": (
        but('"P1"', "1"),
        [
            "1: service_user_ref: 1 is a number; write it as text in quotes, because numbers lose leading zeros"
        ],
    ),
    "a name twice": (but('"V7"', '"V8", "ref": "V9"'), ["1: ref appears twice"]),
    "something that is no object": (f"[{ITEM}, 7]", ["2: the item is not an object"]),
    "half a surrogate": (
        but("V7", r"\ud800"),
        ["1: ref: has a character that cannot be seen (U+D800)"],
    ),
    "a list for a date": (
        but('"2026-11-24"', "[2026]"),
        ["1: date: [2026] is not a date; write YYYY-MM-DD, or DD/MM/YYYY"],
    ),
    "an end that is missing": (
        f"[{ITEM}",
        ["2: the JSON is broken: a comma is missing before the item, or the end is cut off"],
    ),
    "an item cut in two": (
        f"[{ITEM}, {ITEM[:40]}",
        ["2: the JSON is broken: Expecting property name enclosed in double quotes"],
    ),
    "text after the end": (f"[{ITEM}] and more", ["2: the JSON is broken: there is text after its end"]),
    "nesting without end": ("[" * 200_000, ["1: the JSON is nested too deeply"]),
    "a bad byte in the second item": (
        f"[{ITEM}, ".encode() + ITEM.encode().replace(b"V7", b"V\xe9"),
        ["2: byte 0xE9 is not UTF-8 (in Windows-1252 it would be é); save it as CSV UTF-8"],
    ),
    "a number that is none": (
        but('"V7"', "NaN"),
        ["1: the JSON is broken: NaN is not a number in JSON"],
    ),
}


@pytest.mark.parametrize("trouble", BAD_JSON)
async def test_json_is_refused_by_item_and_reason(shared: Desk, trouble: str) -> None:
    file, reasons = BAD_JSON[trouble]
    report = await shared.bring("visits", file, format="json")
    assert said(report) == reasons
    assert not report.written
    assert await shared.value("SELECT count(*) FROM visits WHERE ref = 'V7'") == 0


# The same good file in every shape it may have.
GOOD_FILES: dict[str, tuple[bytes, str]] = {
    "UTF-8": ((HEAD + GOOD).encode(), "csv"),
    "UTF-8 with its mark": ((HEAD + GOOD).encode("utf-8-sig"), "csv"),
    "UTF-16, either way round": (("\ufeff" + HEAD + GOOD).encode("utf-16-be"), "csv"),
    "UTF-16 as Excel's Unicode text": (
        (HEAD + GOOD).replace(",", "\t").replace("\n", "\r\n").encode("utf-16"),
        "csv",
    ),
    "semicolons": ((HEAD + GOOD).replace(",", ";").encode(), "csv"),
    "semicolons, announced": (("sep=;\r\n" + (HEAD + GOOD).replace(",", ";")).encode(), "csv"),
    "quoted": (
        "".join('"' + line.replace(",", '","') + '"\r\n' for line in (HEAD + GOOD).splitlines()).encode(),
        "csv",
    ),
    "headings as people write them": ((HEAD.replace("_", " ").title() + GOOD).encode(), "csv"),
    "surplus commas": ((HEAD.strip() + ",,\n" + GOOD.strip() + ",,,\n").encode(), "csv"),
    "no last line end": ((HEAD + GOOD).strip("\n").encode(), "csv"),
    "an array": (f" [ {ITEM} ] ".encode(), "json"),
    "items": (f'{{ "items" : [{ITEM}] }}'.encode(), "json"),
    "JSON lines": (f"{ITEM}\n".encode(), "json"),
    "JSON in UTF-16": (f"[{ITEM}]".encode("utf-16"), "json"),
}


async def test_every_honest_shape_of_a_file_says_the_same(staffed: Desk) -> None:
    assert (await staffed.bring("visits", HEAD + GOOD)).new == 1
    for shape, (file, file_format) in GOOD_FILES.items():
        report = await staffed.bring("visits", file, format=file_format)
        assert (said(report), counts(report), report.unknown_columns) == ([], (1, 0, 0, 1, 0), []), shape


async def test_unknown_columns_are_reported_and_not_dropped_in_silence(staffed: Desk) -> None:
    report = await staffed.bring("providers", "ref,name,Colour,Réf\nALPHA,Alpha Care,blue,1\n")
    assert report.unknown_columns == ["Colour", "R\\xe9f"]
    assert report.written


async def test_people_whose_numbers_lost_their_zeros_are_not_doubled(staffed: Desk) -> None:
    report = await staffed.bring("service-users", "ref,name\n2,Mr Brown\nP3,Mr New\n")
    assert said(report) == ["2: ref 2 is new and 0002 is known; leading zeros seem to be lost"]
    assert await staffed.value("SELECT count(*) FROM service_users") == 2


PHONES_AND_PINS: dict[str, tuple[str, list[str], list[str]]] = {
    # cell for phone, cell for PIN: rejections, notes
    "07700 900103,0042": ("+447700900103", [], []),
    "+44 (0)7700 900103,0042": ("+447700900103", [], []),
    "7700900103,0042": ("+447700900103", [], ["7700900103 has no leading zero; taken as +447700900103"]),
    "447700900103,0042": ("+447700900103", [], ["447700900103 has no leading zero; taken as +447700900103"]),
    "4.47701E+11,0042": (
        "",
        ["2: phone: 4.47701E+11 is a long number shortened by a spreadsheet; format the column as text"],
        [],
    ),
    "ring the bell,0042": ("", ["2: phone: ring the bell is not a telephone number"], []),
    "12,0042": ("", ["2: phone: 12 is not a telephone number"], []),
    "07700 900103,42": (
        "",
        ["2: pin: has 2 digits; a PIN has 4 to 10; leading zeros may be lost, so format the column as text"],
        [],
    ),
    "07700 900103,12a4": ("", ["2: pin: is not made of digits only"], []),
}


@pytest.mark.parametrize("cells", PHONES_AND_PINS)
async def test_lost_zeros_of_phones_are_mended_and_of_pins_refused(desk: Desk, cells: str) -> None:
    stored, rejections, notes = PHONES_AND_PINS[cells]
    await desk.bring("providers", PROVIDERS)
    report = await desk.bring("care-workers", f"ref,name,provider_ref,phone,pin\nC3,Eve,ALPHA,{cells}\n")
    assert said(report) == rejections
    assert [note.note for note in report.notes] == notes
    found = await desk.rows("SELECT phone FROM care_workers WHERE ref = 'C3'")
    assert [row["phone"] for row in found] == ([stored] if stored else [])


BAD_PEOPLE: dict[str, tuple[dict[str, Any], str]] = {
    "half a position": ({"lat": "53.8"}, "lat and lon: one is given and the other is not"),
    "a comma in a number": ({"lat": "53,8", "lon": "-1.5"}, "lat: 53,8 has a comma; write a point"),
    "off the globe": ({"lat": 93.8, "lon": -1.5}, "lat: 93.8 is not between -90 and 90"),
    "an unknown tier": ({"risk_tier": "D"}, "risk_tier: D is none of A, B, C"),
    "five carers": ({"carers_required": 5}, "carers_required: 5 is not between 1 and 4"),
    "a second home": (
        {"places": [{"label": "home", "lat": 1, "lon": 2}]},
        "places: the home is lat and lon of the row itself",
    ),
    "a place without a position": (
        {"places": [{"label": "day centre"}]},
        "places.0.lat: is empty or missing; places.0.lon: is empty or missing",
    ),
    "a fence that crosses itself": (
        {"places": [{"label": "farm", "lat": 0.5, "lon": 0.5, "polygon": [[0, 0], [1, 1], [0, 1], [1, 0]]}]},
        "places.0: polygon: is not a ring of 3 to 500 corners that never crosses itself",
    ),
}


@pytest.mark.parametrize("trouble", BAD_PEOPLE)
async def test_a_person_who_cannot_be_placed_is_named(desk: Desk, trouble: str) -> None:
    cells, reason = BAD_PEOPLE[trouble]
    report = await desk.bring("service-users", [{"ref": "P1", "name": "Ms Adams"} | cells])
    assert said(report) == [f"1: {reason}"]


BAD_RULES: dict[str, tuple[dict[str, Any], str]] = {
    "a misspelt tolerance": (
        {"rules": {"tolerances": {"late_after_minute": 5}}},
        "rules.tolerances.late_after_minute: is not known",
    ),
    "a basis nobody pays on": (
        {"rules": {"payment": {"basis": "hope"}}},
        "rules.payment.basis: Input should be 'planned', 'actual', 'lesser' or 'claimed'",
    ),
    "an hour that is none": (
        {"rules": {"tolerances": {"day_cut_off": "25:00"}}},
        "rules.tolerances.day_cut_off: hour must be in 0..23",
    ),
    "rules that are no JSON": ({"rules": "{"}, "rules: is not JSON"),
    "an end before its beginning": (
        {"valid_to": "2026-03-31"},
        "valid_to: 2026-03-31 is before valid_from 2026-04-01",
    ),
    "NUL within": (
        {"rules": {"payment": {"clauses": {"cap": "6\x00"}}}},
        "rules: has a character that cannot be seen",
    ),
    "another's provider": ({"provider_ref": "GAMMA"}, "provider_ref GAMMA is not known"),
}


@pytest.mark.parametrize("trouble", BAD_RULES)
async def test_a_contract_that_means_nothing_is_refused(desk: Desk, trouble: str) -> None:
    cells, reason = BAD_RULES[trouble]
    await desk.bring("providers", PROVIDERS)
    contract = {"ref": "F", "provider_ref": "ALPHA", "service": "*", "valid_from": "2026-04-01", "rules": {}}
    assert said(await desk.bring("contracts", [contract | cells])) == [f"1: {reason}"]
    assert await desk.value("SELECT count(*) FROM contracts") == 0


async def test_a_file_of_twenty_thousand_bad_rows_is_counted_and_the_first_thousand_listed(
    staffed: Desk,
) -> None:
    report = await staffed.bring(
        "visits", HEAD + "".join(visit(ref=f"X{n}", provider_ref="GAMMA") for n in range(20_000))
    )
    assert (report.read, report.rejected, len(report.rejections)) == (20_000, 20_000, 1000)
    assert (report.rejections[0].row, report.rejections[-1].row) == (2, 1001)


async def test_twenty_thousand_visits_come_in_at_once_and_again_change_nothing(staffed: Desk) -> None:
    file = HEAD + "".join(visit(ref=f"X{n}") for n in range(20_000))
    first = await staffed.bring("visits", file)
    assert (first.new, first.rejected) == (20_000, 0)
    # One to-do each, and one for V2, which is followed by these visits within a day.
    assert await staffed.value("SELECT count(*) FROM processing_queue") == 20_001
    again = await staffed.bring("visits", file)
    assert (again.unchanged, again.new, again.updated) == (20_000, 0, 0)
    assert await staffed.value("SELECT count(*) FROM processing_queue") == 20_001
