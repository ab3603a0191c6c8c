"""Every word has its text, and the text says the number."""

import pytest

from ecm.visit.model import Crossing, DeadlineKind, Finding, FindingCode, State
from ecm.visit.reasons import DEADLINES, FINDINGS, STATES, explain, explain_crossing, severity
from tests.visit.story import at

SEVERITIES = {"critical", "warning", "good", "information", "short", "quiet"}


def test_nothing_is_without_words() -> None:
    assert set(FINDINGS) == set(FindingCode)
    assert set(STATES) == set(State)
    assert set(DEADLINES) == set(DeadlineKind)
    for words in [*FINDINGS.values(), *STATES.values(), *DEADLINES.values()]:
        assert words.title
        assert words.text
        assert words.severity in SEVERITIES


@pytest.mark.parametrize("code", FindingCode)
def test_every_finding_explains_itself_in_one_line(code: FindingCode) -> None:
    line = explain(Finding(code, 17, 30, "min", detail="of this"))
    assert line
    assert line == line.strip()
    assert "\n" not in line
    assert "{" not in line
    assert severity(Finding(code)) in SEVERITIES


@pytest.mark.parametrize(
    ("finding", "as_told"),
    [
        (Finding(FindingCode.SHORT, 17, 30, "min", detail="30"), "17 min of 30, limit 30"),
        (Finding(FindingCode.SHORT, 29.98, 30, "min", detail="30"), "29 min 59 s of 30, limit 30"),
        (Finding(FindingCode.STARTED_LATE, 75.4, 15, "min"), "started 75 min late, limit 15"),
        (Finding(FindingCode.STARTED_LATE, 125, 15, "min"), "started 2 h 05 min late, limit 15"),
        (Finding(FindingCode.LATE_SYNC, 0.5, 5, "min"), "received 30 s after it happened"),
        (Finding(FindingCode.LATE_SYNC, 6_000, 5, "min"), "received 4 days after it happened"),
        (Finding(FindingCode.DUPLICATE_TAP, 1, detail="once more, at 09:01"), "tapped once more, at 09:01"),
        (
            Finding(FindingCode.STARTED_EARLY, 80, 15, "min", detail="too early to be this visit"),
            "started 80 min early, limit 15, too early to be this visit",
        ),
        (
            Finding(FindingCode.IMPOSSIBLE_TRAVEL, 149.4, 120.0, "km/h"),
            "149 km/h since the last place, limit 120 km/h",
        ),
        (Finding(FindingCode.SECOND_WORKER_MISSING, 1, 2), "1 of 2 care workers came"),
    ],
)
def test_amounts_are_said_as_people_say_them(finding: Finding, as_told: str) -> None:
    assert explain(finding) == as_told


def test_an_alarm_says_what_was_not_received_and_by_when() -> None:
    late = Crossing(DeadlineKind.LATE, at("09:15"))
    assert explain_crossing(late, "Europe/London") == "no check-in received by 09:15"
    assert explain_crossing(late, "Europe/Paris") == "no check-in received by 10:15"
