"""One visit or alert as the board shows it: stored row in, small dict out.

Names are shortened here, before anything leaves the server: the initial of a surname and the area, because a
wall screen is read by whoever walks past. The whole name is on the visit's own page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ecm.names import short_person, short_worker
from ecm.visit.model import Finding, FindingCode
from ecm.visit.reasons import distance_unsaid, explain, severity

Row = dict[str, Any]
Workers = Mapping[str, tuple[str, str | None]]  # ref -> name, phone

CODES = frozenset(code.value for code in FindingCode)


def visit_row(record: Mapping[str, Any]) -> Row:
    """The board's row of one visit. Times as RFC 3339 UTC strings."""
    workers = {ref: (name, phone) for ref, name, phone in record["workers"] or ()}
    return {
        "id": record["visit_id"],
        "ref": record["ref"],
        "v": record["version"],
        "p": record["position"],
        "date": record["local_date"].isoformat(),
        "person": short_person(record["person"]),
        "area": record["area"] or "",
        "tier": record["risk_tier"],
        # An attendance nobody planned may be at anybody's door: it tells that provider nothing of who lives there.
        "needs": (record["needs"] or "") if record["planned_start"] else "",
        "funder": record["funder"],
        "provider": {"ref": record["provider_ref"], "name": record["provider_name"]},
        "workers": [_worker(ref, workers) for ref in record["care_worker_refs"]],
        "planned_start": instant(record["planned_start"]),
        "planned_end": instant(record["planned_end"]),
        "commissioned_minutes": record["commissioned_minutes"],
        "time_critical": record["time_critical"],
        "double": record["carers_required"] > 1,
        "state": record["state"],
        "reason": record["state_reason"],
        "actual_start": instant(record["actual_start"]),
        "actual_end": instant(record["actual_end"]),
        "deadline_at": instant(record["deadline_at"]),
        "deadline_kind": record["deadline_kind"],
        "in": _who_is_in(record["attendances"], workers),
        "findings": [finding_words(finding) for finding in _one_of_each(_findings(record))],
        "service": "" if record["service"] == "*" else record["service"],
    }


def _findings(record: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = record["findings"]
    return found if record["planned_start"] else [distance_unsaid(one) for one in found]


def _one_of_each(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The first finding of each code. A phone that taps three thousand times must not swell everybody's board."""
    return list({finding["code"]: finding for finding in reversed(findings)}.values())[::-1]


def alert_row(record: Mapping[str, Any]) -> Row:
    """The board's row of one alert."""
    return {
        "id": record["alert_id"],
        "visit": record["visit_id"],
        "p": record["position"],
        "kind": record["kind"],
        "severity": record["severity"],
        "state": record["state"],
        "reason": record["reason"],
        "raised_at": instant(record["raised_at"]),
        "raised_for": instant(record["raised_for"]),
        "owner": record["owner"],
        "acknowledged_at": instant(record["acknowledged_at"]),
        "stood_down_at": instant(record["stood_down_at"]),
        "stood_down_reason": record["stood_down_reason"],
    }


def instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, with a Z, to the second (a board shows no more)."""
    return None if at is None else f"{at.isoformat()[:19]}Z"  # strftime takes three times as long


def finding_words(finding: Mapping[str, Any]) -> Row:
    """`{code, severity, text}`, in the words that every other place uses."""
    if finding["code"] not in CODES:
        return {"code": finding["code"], "severity": "information", "text": finding["code"].replace("_", " ")}
    code = FindingCode(finding["code"])
    measured = Finding(
        code,
        finding.get("measure"),
        finding.get("limit"),
        finding.get("unit") or "",
        detail=finding.get("detail") or "",
    )
    return {"code": code, "severity": severity(measured), "text": explain(measured)}


def _worker(ref: str, workers: Workers) -> Row:
    name, phone = workers.get(ref, (ref, None))
    return {"ref": ref, "name": short_worker(name), "phone": phone}


def _who_is_in(attendances: Sequence[Mapping[str, Any]], workers: Workers) -> list[str]:
    inside = [a for a in attendances if a.get("check_in_at") and not a.get("check_out_at")]
    return [
        _worker(a["care_worker"], workers)["name"] if a.get("care_worker") else "somebody" for a in inside
    ]
