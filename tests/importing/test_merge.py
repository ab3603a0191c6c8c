"""What an import changes, what it leaves alone, and who has to look again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecm.errors import NotFound
from ecm.pins import pin_fits
from tests.importing.desk import (
    CAST,
    CONTRACTS,
    NOW,
    SERVICE_USERS,
    VISIT_COLUMNS,
    VISITS,
    Desk,
    counts,
    said,
)


async def test_the_cast_is_stored_as_the_files_say(desk: Desk) -> None:
    reports = await desk.bring_cast()
    assert {kind: counts(report) for kind, report in reports.items()} == {
        "providers": (2, 2, 0, 0, 0),
        "contracts": (1, 1, 0, 0, 0),
        "service-users": (2, 2, 0, 0, 0),
        "care-workers": (2, 2, 0, 0, 0),
        "visits": (3, 3, 0, 0, 0),
    }
    adams = (await desk.rows("SELECT * FROM service_users WHERE ref = 'P1'"))[0]
    assert (adams["address"], adams["area"], adams["risk_tier"], adams["funder"]) == (
        "1 Madeup Lane, Exampleton",
        "ZZ1",
        "C",
        "council",
    )
    assert [r["phone"] for r in await desk.rows("SELECT phone FROM service_user_phones ORDER BY 1")] == [
        "+441134960101",
        "+441134960102",
    ]
    v1, v2, v3 = await desk.rows("SELECT * FROM visits ORDER BY ref")
    assert (v1["planned_start"], v1["window_start"], v1["zone"]) == (
        datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
        datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
        "Europe/London",
    )
    assert (v1["next_planned_start"], v2["next_planned_start"]) == (v2["planned_start"], None)
    assert [v["agreed_short"] for v in (v1, v2, v3)] == [False, True, False]
    assert v3["planned_end"] == datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    assert (v3["carers_required"], v3["care_worker_refs"]) == (2, ["C1", "C2"])
    assert await desk.work_off_to_dos() == ["V1", "V2", "V3"]
    assert await desk.value("SELECT count(*) FROM audit WHERE actor = 'Ada' AND action = 'imported'") == 5


async def test_the_same_files_again_change_nothing_at_all(staffed: Desk) -> None:
    before = await staffed.everything()
    for kind, report in (await staffed.bring_cast()).items():
        assert (report.unchanged, report.new, report.updated) == (report.read, 0, 0), kind
    assert await staffed.everything() == before


async def test_a_dry_run_reports_the_same_and_changes_nothing(desk: Desk) -> None:
    await desk.bring("providers", CAST["providers"])
    before = await desk.everything()
    dry = await desk.bring("service-users", SERVICE_USERS, dry_run=True)
    assert await desk.everything() == before
    real = await desk.bring("service-users", SERVICE_USERS)
    assert (counts(dry), dry.remarks, dry.written) == (counts(real), real.remarks, False)
    assert real.written


async def test_an_absent_column_leaves_alone_and_a_blank_cell_clears(staffed: Desk) -> None:
    pin = "SELECT pin_hash FROM care_workers WHERE ref = 'C1'"
    phone = "SELECT phone FROM care_workers WHERE ref = 'C1'"
    kept = await staffed.value(pin)
    assert pin_fits("0042", kept)
    await staffed.bring("care-workers", "ref,name,provider_ref\nC1,Carol Married,ALPHA\n")
    assert (await staffed.value(pin), await staffed.value(phone)) == (kept, "+447700900101")
    await staffed.bring("care-workers", "ref,name,provider_ref,phone,pin\nC1,Carol Married,ALPHA,,0043\n")
    assert pin_fits("0043", await staffed.value(pin))
    assert await staffed.value(phone) is None
    await staffed.bring("care-workers", "ref,name,provider_ref,pin\nC1,Carol Married,ALPHA,\n")
    assert await staffed.value(pin) is None

    place = "SELECT lat, lon, fence_m FROM places WHERE service_user_ref = 'P1'"
    await staffed.bring("service-users", "ref,name\nP1,Ms Adams-Young\n")
    assert tuple((await staffed.rows(place))[0]) == (53.8, -1.5, None)
    assert await staffed.value("SELECT count(*) FROM service_user_phones") == 2
    await staffed.bring("service-users", "ref,name,lat,lon,phones\nP1,Ms Adams-Young,,,\n")
    assert tuple((await staffed.rows(place))[0]) == (None, None, None)
    assert await staffed.value("SELECT count(*) FROM service_user_phones") == 0

    visit = "SELECT commissioned_minutes, care_worker_refs, agreed_short FROM visits WHERE ref = 'V2'"
    required = "ref,service_user_ref,provider_ref,date,start,end"
    await staffed.bring("visits", f"{required}\nV2,P1,ALPHA,2026-11-23,12:05,12:20\n")
    assert tuple((await staffed.rows(visit))[0]) == (15, ["C1"], True)
    await staffed.bring(
        "visits", f"{required},commissioned_minutes,care_worker_refs\nV2,P1,ALPHA,2026-11-23,12:05,12:20,,\n"
    )
    assert tuple((await staffed.rows(visit))[0]) == (None, [], False)


HEAD = f"{VISIT_COLUMNS}\n"

# What comes in, in this order, and the next visit each of Ms Adams's visits is then followed by, with to-dos.
NEIGHBOURS = [
    ("a visit between two", "V4,P1,ALPHA,2026-11-23,10:30,11:00,,,\n", "V1>V4 V2>- V4>V2", ["V1", "V4"]),
    ("one next morning", "V5,P1,ALPHA,2026-11-24,09:00,09:30,,,\n", "V1>V4 V2>V5 V4>V2 V5>-", ["V2", "V5"]),
    (
        "one more than 24 hours after the last",
        "V6,P1,ALPHA,2026-11-25,09:01,09:30,,,\n",
        "V1>V4 V2>V5 V4>V2 V5>- V6>-",
        ["V6"],
    ),
    (
        "the one between is cancelled",
        "V4,P1,ALPHA,2026-11-23,10:30,11:00,,,yes\n",
        "V1>V2 V2>V5 V4>V2 V5>- V6>-",
        ["V1", "V4"],
    ),
    (
        "two at the same time are not each other's next",
        "V7,P1,ALPHA,2026-11-23,12:00,12:45,,,\n",
        "V1>V2 V2>V5 V4>V2 V5>- V6>- V7>V5",
        ["V7"],
    ),
    (
        "the morning goes to Mr Brown",
        "V5,0002,ALPHA,2026-11-24,09:00,09:30,,,\n",
        "V1>V2 V2>- V4>V2 V6>- V7>-",
        ["V2", "V3", "V5", "V7"],
    ),
    ("nothing new", "V5,0002,ALPHA,2026-11-24,09:00,09:30,,,\n", "V1>V2 V2>- V4>V2 V6>- V7>-", []),
    (
        "one on Tuesday, a day before Wednesday's",
        "V8,P1,ALPHA,2026-11-24,10:00,10:30,,,\n",
        "V1>V2 V2>V8 V4>V2 V6>- V7>V8 V8>V6",
        ["V2", "V7", "V8"],
    ),
    (
        "one on Monday, too early to see as far as Wednesday",
        "V9,P1,ALPHA,2026-11-23,13:00,13:30,,,\n",
        "V1>V2 V2>V9 V4>V2 V6>- V7>V9 V8>V6 V9>V8",
        ["V2", "V7", "V9"],
    ),
]


async def test_a_merged_visit_can_be_known_because_each_visit_knows_its_next(staffed: Desk) -> None:
    for story, row, following, to_dos in NEIGHBOURS:
        assert (await staffed.bring("visits", HEAD + row)).written, story
        found = await staffed.rows("""
            SELECT v.ref || '>' || coalesce((
              SELECT min(n.ref) FROM visits n
              WHERE n.service_user_ref = v.service_user_ref AND n.planned_start = v.next_planned_start), '-') AS pair
            FROM visits v WHERE v.service_user_ref = 'P1' ORDER BY v.ref""")
        assert " ".join(row["pair"] for row in found) == following, story
        assert await staffed.work_off_to_dos() == to_dos, story


async def test_what_can_change_an_assessment_has_visits_looked_at_again(staffed: Desk) -> None:
    two_days_ago = "V0,P1,ALPHA,2026-11-21,09:00,09:30,C1,,\n"
    await staffed.bring("visits", HEAD + two_days_ago)
    await staffed.work_off_to_dos()
    other_rules = [CONTRACTS[0] | {"rules": {"tolerances": {"late_after_minutes": 20}}}]
    of_another = [CONTRACTS[0] | {"ref": "LOT 2", "provider_ref": "BETA"}]
    workers = "ref,name,provider_ref,phone\n"
    stories: list[tuple[str, str, Any, list[str]]] = [
        ("a name matters to nobody's assessment", "service-users", "ref,name\nP1,Ms Adams-Young\n", []),
        ("the home moved", "service-users", "ref,name,lat,lon\nP1,Ms Adams-Young,53.81,-1.5\n", ["V1", "V2"]),
        (
            "a telephone came",
            "service-users",
            "ref,name,phones\nP1,Ms Adams-Young,01632 960101\n",
            ["V1", "V2"],
        ),
        ("another mobile", "care-workers", f"{workers}C2,Dora,ALPHA,07700 900177\n", ["V3"]),
        ("another name", "care-workers", "ref,name,provider_ref\nC2,Dora Dee,ALPHA\n", []),
        ("other rules", "contracts", other_rules, ["V1", "V2", "V3"]),
        ("the same rules", "contracts", other_rules, []),
        ("another provider's contract", "contracts", of_another, []),
    ]
    for story, kind, source, to_dos in stories:
        report = await staffed.bring(kind, source)
        assert report.written, f"{story}: {report.as_text()}"
        assert await staffed.work_off_to_dos() == to_dos, story


async def test_a_contract_row_is_never_edited(staffed: Desk) -> None:
    longer = [CONTRACTS[0] | {"valid_to": "2027-03-31"}]
    report = await staffed.bring("contracts", longer)
    assert (report.new, report.updated) == (0, 1)
    assert (await staffed.bring("contracts", longer)).unchanged == 1
    rows = await staffed.rows("SELECT valid_to::text, added_at FROM contracts ORDER BY contract_id")
    assert [row["valid_to"] for row in rows] == [None, "2027-03-31"]


async def test_evidence_that_matched_nothing_is_looked_at_again(staffed: Desk) -> None:
    async with staffed.owner.connection() as connection:
        await connection.execute("""
            INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, visit,
              body_sha256, body)
            SELECT 1, ('00000000-0000-7000-8000-00000000000' || n)::uuid, at, 'check_in', at, 'app', 'V8', '', '{}'
            FROM (VALUES (1, timestamptz '2026-11-23 07:00Z'), (2, '2026-11-02 07:00Z')) AS e(n, at);
            INSERT INTO event_outcomes (tenant_id, event_id, occurred_at, status, reason, explicit, decided_at)
            SELECT 1, event_id, occurred_at, 'unmatched', 'visit V8 is not known', true, received_at
            FROM check_events""")
    await staffed.bring("visits", VISITS)
    assert await staffed.work_off_to_dos() == []
    await staffed.bring("visits", HEAD + "V8,P1,ALPHA,2026-11-20,07:00,07:30,,,\n")
    assert await staffed.work_off_to_dos() == ["V8", "event 1"]


CLOCK_CHANGES = [
    # date, start, end; minutes between, notes
    ("2026-10-25", "01:30", "02:15", 105, ["start: 01:30 happens twice", "clocks change during this visit"]),
    ("2026-10-25", "00:30", "01:30", 60, ["end: 01:30 happens twice"]),
    ("2026-10-25", "02:00", "02:30", 30, []),
    ("2026-10-24", "22:00", "07:00", 600, ["clocks change during this visit"]),
    ("2026-03-28", "22:00", "07:00", 480, ["clocks change during this visit"]),
    ("2026-03-29", "00:30", "02:00", 30, ["clocks change during this visit"]),
    ("2026-07-01", "23:30", "24:00", 30, []),
    ("2026-07-01", "08:00", "2026-07-02 08:00", 1440, []),
]


async def test_nights_when_clocks_change_are_taken_with_a_note(staffed: Desk) -> None:
    for on, start, end, minutes, notes in CLOCK_CHANGES:
        report = await staffed.bring("visits", HEAD + f"N1,P1,ALPHA,{on},{start},{end},,,\n")
        assert report.written, report.as_text()
        lasts = await staffed.value("SELECT planned_end - planned_start FROM visits WHERE ref = 'N1'")
        assert lasts.total_seconds() / 60 == minutes, on
        assert len(report.notes) == len(notes), on
        assert all(note.note.startswith(begin) for note, begin in zip(report.notes, notes, strict=True)), on


POSTCODES = "pcds,lat,long\nZZ1 1AA,53.70,-1.40\nZZ1 2BB,53.71,-1.41\nZZ9 9ZZ,99.999999,0\n"


async def test_homes_without_a_position_are_placed_by_postcode_with_thanks(
    desk: Desk, tmp_path: Path
) -> None:
    open_data = tmp_path / "postcodes.csv"
    open_data.write_text(POSTCODES)
    place = "SELECT lat, lon, fence_m FROM places WHERE service_user_ref = 'P1'"

    async def told(cells: str, *, columns: str = "ref,name,postcode") -> tuple[object, ...]:
        report = await desk.bring("service-users", f"{columns}\n{cells}\n", postcodes=open_data)
        assert bool(report.attribution) == any("postcode" in remark for remark in report.remarks)
        assert (
            await desk.bring("service-users", f"{columns}\n{cells}\n", postcodes=open_data)
        ).unchanged == 1
        return tuple((await desk.rows(place))[0])

    assert await told("P1,Ms Adams,zz11aa") == (53.70, -1.40, 250)
    assert await told("P1,Ms Adams,ZZ1 2BB") == (53.71, -1.41, 250)
    assert await told("P1,Ms Adams,ZZ9 9ZZ") == (None, None, None)
    exact = "ref,name,postcode,lat,lon"
    assert await told("P1,Ms Adams,ZZ9 9ZZ,53.8,-1.5", columns=exact) == (53.8, -1.5, None)
    assert await told("P1,Ms Adams,ZZ9 9ZZ") == (53.8, -1.5, None)
    assert await told("P1,Ms Adams,ZZ1 1AA,,,40", columns=f"{exact},fence_m") == (53.70, -1.40, 40)


async def test_a_broken_file_of_postcodes_stops_no_import(desk: Desk, tmp_path: Path) -> None:
    broken = tmp_path / "postcodes.csv"
    broken.write_bytes(b"pcds;lat\n\xff")
    report = await desk.bring("service-users", "ref,name,postcode\nP1,Ms Adams,ZZ1 1AA\n", postcodes=broken)
    assert report.written
    assert report.remarks == [
        "the file of postcodes cannot be read, so no home was placed by its postcode",
        "1 home is unlocated: no check-in there can be compared with a place",
    ]


async def test_more_places_come_stay_and_go(desk: Desk) -> None:
    centre = {"label": "day centre", "lat": 53.9, "lon": -1.6, "fence_m": 50}
    farm = {"label": "farm", "lat": 53.5, "lon": -1.5, "polygon": [[53.4, -1.6], [53.6, -1.6], [53.5, -1.3]]}
    person = {"ref": "P1", "name": "Ms Adams", "lat": 53.8, "lon": -1.5}
    stories = [
        ([centre, farm], ["day centre", "farm", "home"], 1),
        ([centre, farm], ["day centre", "farm", "home"], 0),
        (None, ["day centre", "farm", "home"], 0),
        ([farm], ["farm", "home"], 1),
        ([farm | {"polygon": None}], ["farm", "home"], 1),
        ([], ["home"], 1),
    ]
    for places, labels, changed in stories:
        report = await desk.bring(
            "service-users", [person if places is None else person | {"places": places}]
        )
        assert (report.new + report.updated, said(report)) == (changed, []), places
        assert [row["label"] for row in await desk.rows("SELECT label FROM places ORDER BY 1")] == labels


async def test_two_imports_at_once_wait_for_one_another(staffed: Desk) -> None:
    file = HEAD + "".join(f"X{n},P1,ALPHA,2026-12-01,09:00,09:30,,,\n" for n in range(300))
    reports = await asyncio.gather(*(staffed.bring("visits", file) for _ in range(2)))
    assert sorted(report.new for report in reports) == [0, 300]
    assert all(report.written and not report.updated for report in reports)


async def test_an_import_touches_its_own_tenant_only(staffed: Desk) -> None:
    async with staffed.owner.connection() as connection:
        await connection.execute("INSERT INTO tenants (tenant_id, name) VALUES (2, 'Other Shire')")
        await connection.execute("INSERT INTO providers VALUES (2, 'GAMMA', 'Gamma Care')")
    report = await staffed.bring("care-workers", "ref,name,provider_ref\nC9,Zoe,GAMMA\n")
    assert said(report) == ["2: provider_ref GAMMA is not known"]


async def test_a_kind_nobody_knows_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound, match="service-users"):
        await desk.bring("holidays", "ref\n1\n", now=NOW)
