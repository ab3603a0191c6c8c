"""Accept, then flag: what makes an event, what is set aside from one, and what is no event at all."""

from __future__ import annotations

import json
from contextlib import suppress
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecm.visit.model import EventKind, Method
from ingest.model import CheckEventIn
from ingest.row import e164
from ingest.understand import NotAnEvent, items, understand
from tests.ingest.conftest import Door, event


def said(**fields: Any) -> bytes:
    return json.dumps(event(**fields)).encode()


@pytest.mark.parametrize(
    ("fields", "warned", "kept"),
    [
        ({"fix": {"lat": 91, "lon": 0}}, "fix.lat ignored: Input should be less than or equal to 90", None),
        ({"fix": {"lat": 53.8}}, "fix ignored: Field required", None),
        ({"fix": {"lat": float("nan"), "lon": 0}}, "fix.lat ignored: Input should be a finite number", None),
        ({"fix": "here"}, "fix ignored: Input should be a valid dictionary", None),
        ({"fix": {"lat": 0, "lon": 0, "accuracy_m": -1}}, "fix.accuracy_m ignored", (0, 0, None)),
        ({"fix": {"lat": "53.8", "lon": "-1.5"}}, None, (53.8, -1.5, None)),
        ({"fix": {"lat": 1, "lon": 2, "fixed_at": "2026-03-02T09:02:11"}}, "fix.fixed_at ignored", (1, 2, None)),
        ({"care_worker": "x" * 201}, "care_worker ignored: String should have at most 200", (53.80035, -1.54922, 12)),
        ({"device": {"wall_clock": "soon"}}, "device.wall_clock ignored", (53.80035, -1.54922, 12)),
        ({"device": 7}, "device ignored", (53.80035, -1.54922, 12)),
        ({"visit": ""}, "visit ignored", (53.80035, -1.54922, 12)),
        ({"visit": 90211}, None, (53.80035, -1.54922, 12)),
        ({"note": "a\x00b \ud83d"}, "characters that cannot be stored", (53.80035, -1.54922, 12)),
        ({"something_new": {"deep": [1, {"x": None}]}}, None, (53.80035, -1.54922, 12)),
    ],
)  # fmt: skip
def test_a_field_that_makes_no_sense_is_set_aside_and_the_event_stands(
    fields: dict[str, Any], warned: str | None, kept: tuple[float, float, float | None] | None
) -> None:
    understood = understand(said(**fields))

    fix = understood.event.fix
    assert (fix and (fix.lat, fix.lon, fix.accuracy_m)) == kept
    assert [bool(warned and warning.startswith(warned)) for warning in understood.warnings][:1] == [
        True
    ] * bool(warned)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (said(id=None), "id"),
        (said(id="7"), "id"),
        (said(kind=None), "kind"),
        (said(kind="check-in"), "kind"),
        (said(occurred_at=None), "occurred_at"),
        (said(occurred_at="2026-03-02T09:02:11"), "occurred_at"),
        (said(occurred_at="2026-03-02"), "occurred_at"),
        (said(occurred_at=1772442131), "occurred_at"),
        (said(occurred_at="1772442131"), "occurred_at"),
        (said(occurred_at="0001-01-01T00:00:00+14:00"), "occurred_at"),
        (said(occurred_at="9999-12-31T23:59:59-14:00"), "occurred_at"),
        (said(method=None), "method"),
        (said(method="bluetooth"), "method"),
        (said(method="manual"), "reason_code"),
        (said(method="manual", reason_code="  "), "reason_code"),
        (b"", "body"),
        (b"7", "body"),
        (b"null", "body"),
        (b"{", "body"),
        (b'{"id": 1}{"id": 2}', "body"),
        (b"\xff\xfe{\x00}\x00", "body"),
        (said().replace(b"CW-104", b"CW\x00104"), "body"),
        (said().replace(b"CW-104", b"CW\xe9104"), "body"),
        (b"{" + b'"a":{' * 50_000, "body"),
        (b'{"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "body"),
        (b'{"id":' + b"9" * 5_000 + b"}", "body"),
    ],
)
def test_what_lacks_its_essentials_is_no_event(body: bytes, where: str) -> None:
    with pytest.raises(NotAnEvent) as refused:
        understand(body)

    assert refused.value.errors[0]["where"] == where


@pytest.mark.parametrize(
    "at", ["1970-01-01T00:00:00Z", "2038-01-19T03:14:08Z", "2026-03-04T09:02:11.123456789+01:00"]
)
def test_any_clock_a_device_may_show_is_believed(at: str) -> None:
    assert understand(said(occurred_at=at)).warnings == ()


def test_a_reason_makes_a_manual_entry_an_event() -> None:
    assert understand(said(method="manual", reason_code="phone_broken")).event.reason_code == "phone_broken"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {}, True),
        ({"note": None}, {}, True),
        ({"fix": {"lat": 53.0, "lon": 1}}, {"fix": {"lon": 1.0, "lat": 53}}, True),
        ({"b": 1, "a": {"y": 1, "x": 2}}, {"a": {"x": 2, "y": 1}, "b": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"fix": {"lat": 91, "lon": 0}}, {"fix": {"lat": 92, "lon": 0}}, False),
        ({"fix": {"lat": 91, "lon": 0}}, {"fix": {"lat": 91, "lon": 0}}, True),
        ({"device": {"id": "a", "wall_clock": "soon"}}, {"device": {"id": "a", "wall_clock": "later"}}, True),
        ({"device": {"id": "a", "battery": 1}}, {"device": {"id": "a", "battery": 2}}, False),
    ],
)
def test_two_bodies_are_the_same_when_they_say_the_same(
    one: dict[str, Any], other: dict[str, Any], same: bool
) -> None:
    event_id = "0195c8a2-7d1e-7c3a-9b52-6f0d2c4e8a11"

    first, second = understand(said(id=event_id, **one)), understand(said(id=event_id, **other))

    assert (first.fingerprint == second.fingerprint) is same


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        ("+441632960001", "+441632960001"),
        ("01632 960001", "+441632960001"),
        ("0113 496 0121", "+441134960121"),
        ("(020) 7946-0018", "+442079460018"),
        ("07700900123", "+447700900123"),
        ("00353 1 552 5123", "+35315525123"),
        ("anonymous", None),
        ("12", None),
    ],
)
def test_a_caller_number_becomes_e164(sent: str, understood: str | None) -> None:
    assert e164(sent) == understood


def test_the_wire_knows_the_same_words_as_the_rules() -> None:
    schema = CheckEventIn.model_json_schema()["properties"]

    assert schema["kind"]["enum"] == [kind.value for kind in EventKind]
    assert schema["method"]["enum"] == [method.value for method in Method]


@given(st.lists(st.recursive(st.none() | st.text() | st.floats(allow_nan=False) | st.booleans(), st.lists)))
def test_an_array_falls_into_its_items_whatever_they_are(values: list[Any]) -> None:
    for indent in (None, 2):
        parts = list(items(json.dumps(values, indent=indent).encode(), 500))
        assert [json.loads(part) for part in parts] == values


tricky_values = st.sampled_from(["},{", "}", '"},{"', "\\", [{}, {"a": 1}], {}, 7])
tricky = st.lists(st.dictionaries(st.sampled_from("ab"), tricky_values), max_size=4)


@given(tricky, st.sampled_from([None, 1]), st.sampled_from([(",", ":"), (" , ", ": ")]))
def test_an_array_of_objects_falls_into_them_whatever_their_text_looks_like(
    values: list[Any], indent: int | None, separators: tuple[str, str]
) -> None:
    parts = items(json.dumps(values, indent=indent, separators=separators).encode(), 500)
    assert [json.loads(part) for part in parts] == values


MB_4 = 4 * 1024 * 1024
HOSTILE = {
    "two million numbers": b"[" + b"1," * (MB_4 // 2 - 2) + b"1]",
    "a million objects": b"[" + b"{}," * (MB_4 // 3 - 2) + b"{}]",
    "brackets that never close": b"[" * MB_4,
    "brackets that close": b"[" * (MB_4 // 2) + b"]" * (MB_4 // 2),
    "five hundred deep ones": b"[" + b",".join([b"[" * 4_000 + b"]" * 4_000] * 500) + b"]",
    "one of a million": b'[{"a":[' + b"{}," * (MB_4 // 3 - 9) + b"{}]}]",
    "one cut off": b'[{"a":[' + b"[]," * (MB_4 // 3 - 9),
    "deep, then half strings": b"[" + b"[" * 5_000 + b'"' + b'\\"' * (MB_4 // 2 - 5_000),
    "large, then half strings": b'["' + b"x" * 70_000 + b'\\"' * (MB_4 // 2 - 70_000),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_an_array_made_to_cost_much_is_refused_before_it_does(what: str) -> None:
    began_s = process_time()
    with suppress(NotAnEvent):
        assert len(items(HOSTILE[what], 500)) in (1, 501)
    assert process_time() - began_s < 0.5  # it was seconds, in which nobody else was answered


def test_one_item_larger_than_an_event_does_not_cost_the_others_theirs() -> None:
    large = json.dumps({"note": "]}" * 100_000, "list": [{}] * 9_000})
    for small in ("{}", "7", '"},{"'):
        parts = items(f"[{small},{large},{small}]".encode(), 500)
        assert parts == [small.encode(), large.encode(), small.encode()]


@pytest.mark.parametrize("item", ["{bad}", "{'a': 1}", "[1 2]"])
def test_a_broken_item_breaks_a_large_array_as_it_does_a_small_one(item: str) -> None:
    for size in (1, 100_000):
        with pytest.raises(NotAnEvent):
            items(f'[{item},"{"x" * size}"]'.encode(), 500)


@pytest.mark.parametrize(
    "broken",
    [
        *("[", "[1", "[1,", "[1,]", "[,]", "[1 2]", "[1]]", "[1] 2", "[{}{}]", "[{},{]", "[{}", "[{},{},]"),
        *("[" * 100_000, '["\ud800'),
    ],
)
def test_a_broken_array_is_no_array(broken: str) -> None:
    with pytest.raises(NotAnEvent):
        list(items(broken.encode("utf-8", "surrogatepass"), 500))


async def test_the_fix_is_gone_and_the_event_is_stored_with_all_that_was_said(door: Door) -> None:
    sent = event(fix={"lat": 91, "lon": -1.5}, cli="withheld", care_worker="CW\x00 104")

    answer = await door.post(sent)

    assert answer.status_code == 201
    assert answer.json()["warnings"] == [
        "characters that cannot be stored were replaced by U+FFFD",
        "fix.lat ignored: Input should be less than or equal to 90",
        "fix ignored: Field required",
        "cli ignored: not a telephone number",
    ]
    [stored] = await door.stored()
    assert (stored["lat"], stored["cli"], stored["care_worker"]) == (None, None, "CW\ufffd 104")
    assert json.loads(stored["body"]) == sent
