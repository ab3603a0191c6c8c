"""What Carol's phone said rings as it should, and is over only when it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from alerts.rules import Known, Raise, StandDown, VisitNow, decide
from alerts.said import Report
from ecm.store.embedded import Addresses
from ecm.visit.model import Finding, State
from tests.alerts.morning import a_morning, at
from tests.alerts.test_alert_rules import SHORT, an_alert, visit
from tests.alerts.test_sender import Sink, a_sender


def said(kind: str, urgency: str | None = None, **changes: Any) -> VisitNow:
    return visit(
        changes.pop("state", State.IN_PROGRESS), reports=(Report(kind, at("09:05"), urgency),), **changes
    )


@pytest.mark.parametrize(
    ("kind", "urgency", "changes", "severity"),
    [
        ("sos", None, {}, "critical"),
        ("no_reply", None, {}, "warning"),
        ("no_reply", None, {"risk_tier": "A"}, "critical"),
        ("no_reply", "now", {"time_critical": True}, "critical"),
        ("concern", "now", {}, "critical"),
        ("concern", "today", {}, "warning"),
        ("hazard", "routine", {}, "information"),
        ("hazard", None, {}, "warning"),
    ],
)
def test_how_urgent_it_is(kind: str, urgency: str | None, changes: dict[str, Any], severity: str) -> None:
    [told] = decide(said(kind, urgency, **changes), [])
    assert isinstance(told, Raise)
    assert (told.kind, told.raised_for, told.severity) == (kind, at("09:05"), severity)


def test_nobody_answered_and_then_somebody_did() -> None:
    assert decide(said("no_reply", state=State.FRUSTRATED), [an_alert("no_reply", "09:05")]) == ()
    gone = said("no_reply", state=State.COMPLETED, left=Known(at("09:33"), at("09:33")))
    assert decide(gone, [an_alert("no_reply", "09:05")]) == (StandDown(1, "care was given after all"),)


@pytest.mark.parametrize(
    ("left", "findings"),
    [("09:10", (SHORT,)), ("09:04", ()), (None, ())],
    ids=[
        "gave up after five minutes",
        "had left before: it is of the next visit",
        "nobody is known to have left",
    ],
)
def test_a_visit_that_is_over_is_no_answer_by_itself(left: str | None, findings: tuple[Finding, ...]) -> None:
    known = Known(at(left), at(left)) if left else None
    over = said("no_reply", state=State.COMPLETED, left=known, findings=findings)
    short = [an_alert("short", "09:00", alert_id=2)] if findings else []
    assert decide(over, [an_alert("no_reply", "09:05"), *short]) == ()
    raised = next(
        action for action in decide(over, []) if isinstance(action, Raise) and action.kind == "no_reply"
    )
    assert raised.over is None


def test_a_call_for_help_is_never_over_by_itself() -> None:
    assert decide(said("sos", state=State.COMPLETED), [an_alert("sos", "09:05")]) == ()


async def test_a_report_becomes_an_alert_and_a_page(database: Addresses) -> None:
    async with a_morning(database, "V-1") as morning:
        number = await morning.becomes("V-1", "in_progress")
        await morning.owner.execute(
            "INSERT INTO alert_contacts (tenant_id, min_severity, channel, address)"
            " VALUES (1, 'critical', 'email', 'duty@example.org')"
        )
        await morning.hears_of(number, "sos", at("09:05"))
        await morning.alerts.step()
        row = await morning.owner.fetchrow("SELECT kind, severity, state, reason FROM alerts")
        assert tuple(row) == ("sos", "critical", "open", "care worker W-1 asks for help")
        assert await morning.owner.fetchval("SELECT count(*) FROM deliveries") == 1


@pytest.mark.parametrize(("kind", "urgency"), [("sos", None), ("concern", "now"), ("no_reply", None)])
async def test_what_a_phone_says_is_told_however_old_its_clock_makes_it(
    database: Addresses, kind: str, urgency: str | None
) -> None:
    """Carol's phone is two days slow, or was a day without a signal: we hear it now."""
    async with a_morning(database, "V-1") as morning:
        await morning.contact("duty@example.org")
        number = await morning.becomes("V-1", "in_progress")
        await morning.hears_of(number, kind, at("09:05") - timedelta(days=2), urgency)
        await morning.drain()
        assert await morning.told() == [("V-1", kind, "open", None)]
        assert await morning.deliveries() == [(kind, "raised", "duty@example.org", "09:15", "pending")]


async def test_a_call_for_help_says_outside_who_calls_and_of_no_visit(database: Addresses) -> None:
    """The visit it stands beside is the nearest there was, and may be another worker's."""
    async with a_morning(database, "V-1") as morning:
        await morning.contact("duty@example.org")
        await morning.hears_of(await morning.becomes("V-1", "planned"), "sos", at("09:05"))
        await morning.drain()
        sink = Sink()
        await a_sender(morning, sink).step()
        [message] = sink.sent
        assert message.subject == "CRITICAL: sos"
        assert message.text.splitlines()[:2] == ["CRITICAL: sos", "care worker W-1 asks for help"]
        assert "V-1" not in message.text
        assert "knife" not in f"{message.text}{message.as_json()}"
