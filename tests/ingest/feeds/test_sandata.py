"""A record of another system in our words, both dialects of it, and whatever else may stand in its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecm.visit.proof import Proof
from ingest.feeds.sandata import WITHHELD, Record, exceptions, read
from ingest.understand import understand
from tests.ingest.feeds.records import other_dialect, punch, visit


def of(**said: Any) -> Record:
    return read("visit", visit(**said))


def words(record: Record) -> str:
    return "; ".join(reason.words for reason in record.reasons)


def events(record: Record) -> list[dict[str, Any]]:
    assert record.visit is not None
    return [one.event for one in record.visit.punches]


def test_a_visit_becomes_its_two_check_events() -> None:
    record = of()
    assert (record.record_id, record.sequence_id, record.wrong) == ("P1/1001", 1, False)
    came, left = events(record)
    assert (came["kind"], came["occurred_at"], came["method"]) == (
        "check_in", "2026-11-21T09:02:00+00:00", "app",
    )  # fmt: skip
    assert came["fix"] == {"lat": 53.8001, "lon": -1.5491}
    assert came["device"] == {"id": "alice.phone"}
    assert (left["kind"], left["occurred_at"]) == ("check_out", "2026-11-21T09:31:00+00:00")
    assert record.visit is not None
    assert {one.proofs for one in record.visit.punches} == {(Proof.PARTNER,)}
    for event in (came, left):
        understand(json.dumps(event).encode())


def test_the_other_dialect_says_the_same_in_other_words() -> None:
    record = read("visit", other_dialect())
    assert not record.wrong, words(record)
    assert record.visit is not None
    assert (record.visit.people, record.visit.workers) == (("SU-A",), ("CW-A",))
    came, left = events(record)
    assert (came["kind"], came["method"], came["cli"]) == ("check_in", "landline", "01632 960001")
    assert (left["kind"], left["method"], left["reason_code"]) == ("check_out", "manual", "other_system")
    assert [one.event_id for one in record.visit.punches] == [
        one.event_id
        for one in of().visit.punches  # type: ignore[union-attr]
    ], "the id is of the call, however its record is worded"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("Telephony", "landline"), ("Mobile", "app"), ("FVV", "token"), ("Manual", "manual"), ("Other", "manual"),
     ("MOBILE", "app"), ("mobile", "app")],
)  # fmt: skip
def test_each_type_of_call(theirs: str, ours: str) -> None:
    [event] = events(of(Calls=[punch(CallType=theirs)]))
    assert event["method"] == ours


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("Time In", "check_in"), ("Call In", "check_in"), ("callin", "check_in"), ("CALL OUT", "check_out"),
     ("Time Out", "check_out")],
)  # fmt: skip
def test_each_assignment(theirs: str, ours: str) -> None:
    [event] = events(of(Calls=[punch(CallAssignment=theirs)]))
    assert event["kind"] == ours


def test_an_interim_call_is_kept_and_is_neither() -> None:
    record = of(Calls=[punch(), punch(CallAssignment="Interim", CallExternalID="3")])
    assert len(events(record)) == 1
    assert not record.wrong
    assert "Calls[2]: an interim call is kept" in words(record)


def test_a_manual_call_says_why_and_by_whom() -> None:
    change = {
        "SequenceID": 2,
        "ChangeMadeBy": "c.coordinator",
        "ReasonCode": "10",
        "ChangeReasonMemo": "No battery",
    }
    [event] = events(of(Calls=[punch(CallType="Manual")], VisitChanges=[change]))
    assert (event["reason_code"], event["note"], event["entered_by"]) == ("10", "No battery", "c.coordinator")


def test_an_adjusted_time_fills_a_gap_as_an_entry_by_hand() -> None:
    record = of(
        Calls=[punch()],
        AdjOutDateTime="2026-11-21T09:30:00Z",
        VisitChanges=[{"ChangeMadeBy": "c.coordinator", "ReasonCode": "20", "ChangeReasonMemo": "Forgot"}],
    )
    _, left = events(record)
    assert (left["kind"], left["method"], left["reason_code"]) == ("check_out", "manual", "20")
    assert record.visit is not None
    assert record.visit.punches[1].proofs == (Proof.PARTNER, Proof.TYPED)


def test_an_adjusted_time_replaces_no_evidence() -> None:
    """The way to make a visit look longer after the fact is remarked on, and changes nothing."""
    record = of(AdjInDateTime="2026-11-21T08:45:00Z", AdjOutDateTime="2026-11-21T09:31:00Z")
    assert [event["occurred_at"][11:16] for event in events(record)] == ["09:02", "09:31"]
    assert words(record) == "AdjInDateTime is kept; the call counts, because evidence is never replaced"


def test_two_providers_may_number_their_visits_alike() -> None:
    birch = {"ProviderID": "P2"}
    ours, theirs = of(), of(ProviderIdentification=birch)
    assert theirs.record_id == "P2/1001"
    assert {e["id"] for e in events(ours)}.isdisjoint(e["id"] for e in events(theirs))


def test_a_pin_and_a_social_security_number_are_not_kept() -> None:
    record = of(Calls=[punch(TelephonyPIN="4711")], ClientSSN="123456789")
    assert "4711" not in json.dumps(record.body)
    assert "123456789" not in json.dumps(record.body)
    assert record.body["ClientSSN"] == WITHHELD
    assert record.visit is not None
    assert "4711" not in json.dumps([one.said for one in record.visit.punches])
    worker = read("employee", {"EmployeeOtherID": "E1", "SequenceID": 1, "EmployeeSSN": "123456789"})
    assert worker.known_as == ("E1",)
    assert "123456789" not in json.dumps(worker.body)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"VisitOtherID": None}, "VisitOtherID is missing"),
        ({"SequenceID": None}, "SequenceID should be"),
        ({"SequenceID": "one"}, "SequenceID should be"),
        ({"SequenceID": True}, "SequenceID should be"),
        ({"SequenceID": -1}, "SequenceID should be"),
        ({"SequenceID": 2**63}, "SequenceID should be"),
        ({"Calls": [7]}, "Calls[1] should be a JSON object"),
        ({"Calls": [punch(CallExternalID=None)]}, "CallExternalID is missing"),
        ({"Calls": [punch(CallDateTime="yesterday")]}, "CallDateTime should be"),
        ({"Calls": [punch(CallDateTime="2026-11-21T09:02:00")]}, "CallDateTime should be"),
        ({"Calls": [punch(CallDateTime=1_795_251_720)]}, "CallDateTime should be"),
        ({"Calls": [punch(CallDateTime="0303-11-21T09:02:00Z")]}, "CallDateTime should be"),
        ({"Calls": [punch(CallAssignment="Sideways")]}, "CallAssignment should be"),
        ({"Calls": [punch(CallType="Pigeon")]}, "CallType should be"),
        ({"Calls": [punch(Memo="x" * 20_000)]}, "should be shorter"),
        ({"Calls": [punch(CallExternalID=str(n)) for n in range(101)]}, "100 Calls"),
        ({"AdjInDateTime": "soon", "Calls": []}, "AdjInDateTime should be"),
    ],
)
def test_what_is_wrong_with_a_record_is_said(said: dict[str, Any], why: str) -> None:
    record = of(**said)
    assert record.wrong
    assert why in words(record)


def test_a_bad_call_costs_its_visits_good_call_nothing() -> None:
    record = of(Calls=[punch(CallDateTime="yesterday"), punch(CallExternalID="2")])
    assert record.wrong
    assert len(events(record)) == 1


@pytest.mark.parametrize("latitude", [None, "", "north", [], {}, True, 10**400])
def test_a_position_that_is_none_costs_nothing(latitude: Any) -> None:
    [event] = events(of(Calls=[punch(CallLatitude=latitude)]))
    understand(json.dumps(event).encode())


def test_the_feeds_own_exceptions() -> None:
    def told(
        person: bool = True, worker: bool = True, phones: tuple[str, ...] = (), **said: Any
    ) -> list[int | None]:
        record = of(**said)
        assert record.visit is not None
        found = exceptions(record.visit, person_known=person, worker_known=worker, phones=phones)
        return [one.exception for one in found]

    ringing = [punch(CallType="Telephony", OriginatingPhoneNumber="01632 960001")]
    assert told() == []
    assert told(person=False) == [0]
    assert told(worker=False) == [1]
    assert told(Calls=[]) == [3, 4]
    assert told(Calls=[], VisitCancelledIndicator=True) == []
    assert told(Calls=ringing, phones=("+441632960001",)) == [4]
    assert told(Calls=ringing, phones=("+441632960002",)) == [4, 15]
    assert told(ProcedureCode=None) == [23]
    assert told(EmployeeOtherID=None) == [45]


def test_an_acknowledged_exception_says_so() -> None:
    said = of(
        Calls=[punch()], VisitExceptionAcknowledgement=[{"ExceptionID": "4", "ExceptionAcknowledged": True}]
    )
    assert said.visit is not None
    [found] = exceptions(said.visit, person_known=True, worker_known=True, phones=())
    assert (found.exception, found.acknowledged) == (4, True)


def test_a_client_is_known_by_every_id_it_is_given() -> None:
    record = read(
        "client",
        {"ClientOtherID": "A-7", "ClientCustomID": "SU-A", "ClientMedicaidID": 12, "SequenceID": "3"},
    )
    assert (record.record_id, record.sequence_id, record.known_as) == ("A-7", 3, ("A-7", "SU-A", "12"))
    nobody = read("client", {"SequenceID": 1})
    assert nobody.wrong


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [*visit(), "AdjInDateTime", "AdjOutDateTime", "VisitChanges", "VisitExceptionAcknowledgement"]
CALL_FIELDS = [*punch(), "OriginatingPhoneNumber", "ClientIdentifierOnCall"]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["client", "employee", "visit"]),
    st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=4),
    st.lists(st.dictionaries(st.sampled_from(CALL_FIELDS), ANYTHING, max_size=4), max_size=3),
    ANYTHING,
)
def test_whatever_is_sent_is_read(
    kind: str, said: dict[str, Any], punches: list[dict[str, Any]], other: Any
) -> None:
    for sent in (visit(Calls=[punch() | each for each in punches]) | said, other):
        record = read(kind, sent)
        json.dumps(record.body)
        if record.visit is not None:
            exceptions(record.visit, person_known=True, worker_known=True, phones=())
