"""A morning for pictures: a made-up borough at 09:41, with somebody late, missed, found and stood down."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from tests.board.stage import DAY, Stage, stamp

TITLES = ("Mr", "Mrs", "Ms", "Miss")
SURNAMES = (
    *(
        "Abbott",
        "Barlow",
        "Chadwick",
        "Dobson",
        "Ellwood",
        "Fairley",
        "Garside",
        "Holroyd",
        "Ingham",
        "Jowett",
    ),
    *("Kershaw", "Lister", "Midgley", "Naylor", "Ogden", "Priestley", "Quarmby", "Ramsden", "Thackray"),
)
AREAS = ("Belgrave", "Evington", "Aylestone", "Knighton", "Rushey Mead", "Spinney Hills", "Braunstone")
ROSTER = """Anna Kowalska, Jo Mensah, Rafi Begum, Tom Walsh, Lena Petrova, Ola Adeyemi, Kasia Nowak, Dewi Evans,
    Priya Singh, Chipo Moyo, Maria Silva, Ian Reid"""
WORKERS = [" ".join(name.split()) for name in ROSTER.split(",")]
PROVIDERS = ("Northfield Care", "Harbour Homecare", "Meadow Care")
NOW = datetime.fromisoformat("2026-11-23T09:41:27+00:00")
ADA = "account 5 Ada Administrator"
EXPLAINED = 8  # a completed visit whose evidence is on file


async def set_the_morning(stage: Stage, *, visits: int = 240, workers: int = 12, seed: int = 7) -> None:
    """Visits from 06:30 to 21:00, each as it would be at NOW, and the alarms that go with them."""
    dice = random.Random(seed)
    owner = stage.owner
    await owner.executemany(
        "INSERT INTO providers (tenant_id, ref, name) VALUES (1, $1, $2)",
        [(f"PR-{n}", name) for n, name in enumerate(PROVIDERS)],
    )
    await owner.executemany(
        "INSERT INTO care_workers (tenant_id, ref, name, provider_ref, phone) VALUES (1, $1, $2, $3, $4)",
        [(f"CW-{n}", WORKERS[n % 12], f"PR-{n % 3}", f"+447700{900200 + n % 700}") for n in range(workers)],
    )
    people = max(24, visits // 3)
    await owner.executemany(
        "INSERT INTO service_users (tenant_id, ref, name, area, risk_tier, funder, needs)"
        " VALUES (1, $1, $2, $3, $4, $5, $6)",
        [
            (
                f"SU-{n}", f"{TITLES[n % 4]} {dice.choice('ABCDEGHJKLMPRST')}. {SURNAMES[n % len(SURNAMES)]}",
                AREAS[n % len(AREAS)], dice.choice("ABCCCC"),
                dice.choice(["council", "council", "council", "nhs"]),
                dice.choice([None, None, "insulin", "lives alone"]),
            )
            for n in range(people)
        ],
    )  # fmt: skip
    rows = [_visit(n, people, workers, dice) for n in range(visits)]
    await owner.executemany(
        "INSERT INTO visits (tenant_id, ref, service_user_ref, provider_ref, local_date, zone, planned_start,"
        " planned_end, window_start, commissioned_minutes, care_worker_refs, carers_required, state, state_reason,"
        " actual_start, actual_end, findings, attendances, version)"
        " VALUES (1, $1, $2, $3, $4, 'Europe/London', $5, $6, $5, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1)",
        rows,
    )
    for begun in (False, True):
        query = "SELECT visit_id FROM visits WHERE (actual_start IS NOT NULL) = $1"
        some = [r["visit_id"] for r in await owner.fetch(query, begun)]
        await stamp(owner, "visits", "visit_id", some)
    await _alarms(stage)


def _visit(n: int, people: int, workers: int, dice: random.Random) -> tuple[Any, ...]:
    worker = n % workers
    slot = n // workers
    slots = 20
    start = NOW.replace(hour=6, minute=30, second=0) + timedelta(
        minutes=(slot % slots) * 45 + dice.choice((0, 5, 10))
    )
    minutes = dice.choice((30, 30, 30, 45, 15))
    end = start + timedelta(minutes=minutes)
    state, reason, begun, ended = "planned", "", None, None
    findings: list[dict[str, Any]] = []
    delay = timedelta(seconds=dice.randint(-240, 600))
    if end + delay < NOW:
        state, begun, ended = "completed", start + delay, end + delay
        findings = [
            {
                "code": "location_inside",
                "measure": float(dice.randint(3, 40)),
                "limit": 100.0,
                "unit": "m",
                "detail": "± 9 m",
            }
        ]
        if dice.random() < 0.06:
            ended = begun + timedelta(minutes=minutes * 0.55)
            findings.append(
                {"code": "short", "measure": round(minutes * 0.55, 1), "limit": float(minutes), "unit": "min"}
            )
    elif start + delay < NOW:
        state, begun = "in_progress", start + delay
        findings = [
            {"code": "location_inside", "measure": 12.0, "limit": 100.0, "unit": "m", "detail": "± 9 m"}
        ]
    if (worker == 1 and start < NOW < end + timedelta(minutes=60)) or n in (13, 26):
        state, begun, ended, findings = "late", None, None, []
        reason = f"no check-in received by {(start + timedelta(minutes=15)):%H:%M}"
    if worker == 0 and NOW - timedelta(minutes=110) < start < NOW - timedelta(minutes=60):
        state, begun, ended, findings = "missed", None, None, []
        reason = f"no check-in received by {(start + timedelta(minutes=60)):%H:%M}"
    if worker == 4 and start < NOW - timedelta(minutes=45) < end + timedelta(minutes=20):
        state, begun, ended, reason = (
            "overrunning",
            start + delay,
            None,
            f"no check-out received by {end:%H:%M}",
        )
    double = worker == 3 and state == "in_progress"
    if double:
        findings.append({"code": "second_worker_missing", "measure": 1.0, "limit": 2.0, "unit": ""})
    if worker == 5 and state == "in_progress":
        findings = [
            {"code": "location_uncertain", "measure": 95.0, "limit": 100.0, "unit": "m", "detail": "± 40 m"}
        ]
    attendances = []
    if begun:
        attendances = [
            {
                "care_worker": f"CW-{worker}",
                "check_in_at": _text(begun),
                "check_out_at": _text(ended),
                "amended": False,
            }
        ]
    rostered = [f"CW-{worker}"] + ([f"CW-{(worker + 3) % workers}"] if double else [])
    return (
        f"V-20261123-{n:04}", f"SU-{(n * 7) % people}", f"PR-{worker % 3}", DAY, start, end, minutes, rostered,
        2 if double else 1, state, reason, begun, ended, findings, attendances,
    )  # fmt: skip


async def _alarms(stage: Stage) -> None:
    troubled = await stage.owner.fetch(
        "SELECT visit_id, provider_ref, state, state_reason, planned_start, findings FROM visits"
        " WHERE state IN ('late', 'missed', 'overrunning') OR findings @> '[{\"code\": \"second_worker_missing\"}]'"
        ' OR findings @> \'[{"code": "location_uncertain"}]\' ORDER BY visit_id'
    )
    for n, row in enumerate(troubled):
        codes = {finding["code"] for finding in row["findings"]} & {
            "second_worker_missing",
            "location_uncertain",
        }
        kind = row["state"] if row["state"] in ("late", "missed", "overrunning") else codes.pop()
        alert = await stage.alarm(
            row["visit_id"], kind=kind, provider_ref=row["provider_ref"], raised_for=row["planned_start"],
            severity="critical" if kind in ("missed", "second_worker_missing") else "warning",
            reason=row["state_reason"] or "R. Begum in since 09:14", raised_at=NOW - timedelta(minutes=20),
        )  # fmt: skip
        if n == 2:
            await stage.alarm_becomes(alert, state="acknowledged", owner="Sam Okafor", acknowledged_at=NOW)
    done = await stage.owner.fetchval("SELECT max(visit_id) FROM visits WHERE state = 'in_progress'")
    alert = await stage.alarm(done, kind="late", raised_at=NOW - timedelta(minutes=9))
    await stage.alarm_becomes(
        alert, state="stood_down", stood_down_at=NOW - timedelta(minutes=2),
        stood_down_reason="check-in 09:03 received late",
    )  # fmt: skip


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


async def add_evidence(stage: Stage) -> None:
    """A visit explained (its events, an amendment), a check-in that fits nowhere, and a period that was run."""
    owner = stage.owner
    visit = await owner.fetchrow("SELECT * FROM visits WHERE visit_id = $1", EXPLAINED)
    findings = []
    for n, (kind, at, metres) in enumerate(
        [("check_in", visit["actual_start"], 18.0), ("check_out", visit["actual_end"], 64.0)]
    ):
        event = f"019ab000-0000-7000-8000-00000000000{n}"
        await _event(stage, event, kind, at, visit["care_worker_refs"][0], visit["service_user_ref"])
        await owner.execute(
            "INSERT INTO event_outcomes (tenant_id, event_id, occurred_at, service_user_ref, care_worker_ref,"
            " visit_id, status, reason, explicit, decided_at)"
            " VALUES (1, $1, $2, $3, $4, $5, 'matched', 'named its visit', true, $2)",
            event, at, visit["service_user_ref"], visit["care_worker_refs"][0], EXPLAINED,
        )  # fmt: skip
        findings.append(
            {"code": "location_inside", "measure": metres, "limit": 100.0, "unit": "m", "detail": "± 12 m"}
            | {"event_id": event}
        )  # fmt: skip
    await stage.becomes(EXPLAINED, findings=findings)
    await owner.execute(
        "INSERT INTO amendments (tenant_id, visit_id, kind, reason_code, action_taken, note, made_by, made_at)"
        " VALUES (1, $2, 'note', 'other', 'phoned_person', 'rang at 10:02, well, wanted to be left', 'M. Shah', $1)",
        NOW + timedelta(minutes=23),
        EXPLAINED,
    )
    stray = "019ab000-0000-7000-8000-00000000000a"
    await _event(stage, stray, "check_in", NOW - timedelta(minutes=50), "CW-3", "SU-unknown")
    await owner.execute(
        "INSERT INTO event_outcomes (tenant_id, event_id, occurred_at, care_worker_ref, status, reason,"
        " explicit, decided_at) VALUES (1, $1, $2, 'CW-3', 'unmatched', 'nobody is known as SU-unknown', false, $2)",
        stray, NOW - timedelta(minutes=50),
    )  # fmt: skip
    await owner.execute(
        "INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on, requested_at, run_at)"
        " VALUES (1, '2026-W48', '2026-11-23', '2026-11-29', $1, $1)",
        NOW,
    )
    step = {"inputs": {}, "care_worker": None}
    steps = [
        {"rule": "basis", "clause": "6", "seconds_after": 1710, "pence_after": 0, "words": "28 min 30 s"}
        | step,
        {
            "rule": "rounding",
            "clause": "6.1",
            "seconds_after": 1800,
            "pence_after": 930,
            "words": "up to 15 min",
        }
        | step,
    ]
    await owner.execute(
        "INSERT INTO actual_lines (tenant_id, period, visit_id, visit_version, provider_ref, service_user_ref, funder,"
        " local_date, state, planned_seconds, actual_seconds, payable_seconds, amount_pence, planned_pence, steps,"
        " exception, computed_at) SELECT 1, '2026-W48', visit_id, version, provider_ref, service_user_ref, u.funder,"
        " local_date, state, 1800, 1710, 1800 - (visit_id % 4) * 300, 930 - (visit_id % 4) * 155, 930, $1,"
        " CASE WHEN visit_id % 9 = 0 THEN 'location_outside, 400 m, limit 100 m' END, $2"
        " FROM visits v JOIN service_users u ON u.tenant_id = v.tenant_id AND u.ref = v.service_user_ref"
        " WHERE state = 'completed'",
        steps, NOW,
    )  # fmt: skip


async def _event(stage: Stage, event: str, kind: str, at: datetime, worker: str, person: str) -> None:
    await stage.owner.execute(
        "INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, care_worker,"
        " service_user, lat, lon, accuracy_m, fixed_at, body_sha256, body)"
        " VALUES (1, $1, $2, $3, $2, 'app', $4, $5, 53.8001, -1.5491, 12, $2, '', '{}')",
        event, at, kind, worker, person,
    )  # fmt: skip


async def add_doors_and_keys(stage: Stage) -> None:
    """Phones in use and cut off, keys of systems, somebody kept out, and what the audit says of it."""
    owner = stage.owner
    await owner.executemany(
        "INSERT INTO devices (tenant_id, provider_ref, care_worker_ref, label, public_key, enrolled_at, enrolled_by,"
        " cut_off_at, cut_off_by, cut_off_reason)"
        " VALUES (1, $1, $2, $3, '{}', $4, 'account 2 Cole Coordinator', $5, $6, $7)",
        [
            (
                f"PR-{n % 3}", None if n == 11 else f"CW-{n}",
                "Spare 3" if n == 11 else f"{WORKERS[n].split()[0]}’s phone", NOW - timedelta(days=40 - n),
                *((NOW - timedelta(days=2), ADA, "left on a bus") if n == 4 else (None,) * 3),
            )
            for n in range(12)
        ],
    )  # fmt: skip
    await owner.executemany(
        "INSERT INTO api_keys (tenant_id, name, scopes, key_sha256, created_at, revoked_at)"
        " VALUES (1, $1, $2, $3, $4, $5)",
        [
            ("Telephone gateway", ["ingest"], b"1", NOW - timedelta(days=200), None),
            ("Rostering", ["import", "read"], b"2", NOW - timedelta(days=120), None),
            ("Old reports", ["read"], b"3", NOW - timedelta(days=300), NOW - timedelta(days=20)),
        ],
    )
    await owner.execute(
        "UPDATE accounts SET disabled_at = $1 WHERE name = 'Cara Carer'", NOW - timedelta(days=9)
    )
    await owner.executemany(
        "INSERT INTO audit (tenant_id, at, actor, action, subject, reason, origin) VALUES (1, $1, $2, $3, $4, $5, $6)",
        [
            (NOW - timedelta(days=20), ADA, "key_revoked", "key 3 Old reports", None, "192.0.2.7"),
            (NOW - timedelta(days=9), ADA, "account_disabled", "account 4 Cara Carer", None, "192.0.2.7"),
            (NOW - timedelta(days=2), ADA, "phone_cut_off",
             "phone 6f1d5a52-6f0e-4a0e-9c37-0d4d5a1c7e11", "left on a bus", "192.0.2.7"),
            (NOW - timedelta(minutes=4), "account 1 Dana Duty", "alert_acknowledged", "alert 3", None, "192.0.2.19"),
        ],
    )  # fmt: skip
