"""From an interview to the check event that says the same, made once however often it is made."""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from ecm.store.db import Connection
from ecm.store.queries import load_queries
from ecm.visit.proof import Proof
from ingest.keys import KeyHolder
from ingest.recorder import Recorder, same_id
from ingest.telephone.kept import PhoneCall
from ingest.telephone.people import task_names
from ingest.telephone.turn import Caller, Input, Interview

TEXTS = "sms"
"""The gateway of text messages."""

sql = load_queries(__package__, "telephone.sql")


async def record(recorder: Recorder, kept: PhoneCall, i: Interview) -> Input:
    """RECORDED, or NOT_RECORDED for what cannot be. Committed when this returns. Raises Unavailable."""
    recorded = await recorder.record(
        KeyHolder(kept.tenant_id, None, f"telephone {kept.dialled}", may_record=True),
        event_of(kept, i),
        proofs_of(kept, i),
    )
    # Whatever else stands under this id, it is this phone call's own.
    return Input.NOT_RECORDED if recorded.status == "refused" else Input.RECORDED


def event_of(kept: PhoneCall, i: Interview) -> dict[str, Any]:
    """As on the wire. The same interview is the same event: nothing in it depends on when it is made."""
    phone_call = i.answers_for or kept.call_id
    said = {
        "id": str(same_id(kept.tenant_id, kept.gateway, phone_call, i.kind)),
        "kind": i.kind,
        "occurred_at": i.at,
        "method": "sms" if kept.gateway == TEXTS else "landline",
        "care_worker": i.worker,
        "service_user": i.person.ref if i.person else None,
        "cli": kept.cli,
        "code": i.code,
        "line": kept.dialled,
        "note": "hung up after the PIN, when only a check-in could be meant" if i.inferred else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def proofs_of(kept: PhoneCall, i: Interview) -> list[Proof]:
    text = kept.gateway == TEXTS
    holds = {
        Proof.REGISTERED_MOBILE: text,
        Proof.PIN: i.named if text else not i.rang_own,
        Proof.RANG_OWN_NUMBER: i.rang_own,
        Proof.CALLED_BACK: i.called_back,
        Proof.WITHHELD: i.caller is Caller.WITHHELD,
    }
    return [proof for proof, held in holds.items() if held]


async def keep_tasks(connection: Connection, kept: PhoneCall, i: Interview, now: datetime) -> None:
    """The tasks done, as a report beside the visit."""
    assert i.person is not None
    row = await connection.fetchrow(sql.person, kept.tenant_id, i.person.ref)
    names = task_names(row["needs"]) if row else []
    tasks = [{"name": name, "done": str(n) in i.done_tasks} for n, name in enumerate(names[:9], 1)]
    body = json.dumps({"phone_call": kept.call_id, "keyed": i.done_tasks})
    await connection.execute(
        sql.keep_tasks,
        kept.tenant_id,
        same_id(kept.tenant_id, kept.gateway, kept.call_id, "tasks"),
        datetime.fromisoformat(i.at or now.isoformat()),
        i.worker,
        i.person.ref,
        now,
        tasks,
        [proof.value for proof in proofs_of(kept, i)],
        sha256(body.encode()).digest(),
        body,
    )
