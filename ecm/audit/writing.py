"""One more entry, in the transaction of what it tells of: both are there, or neither."""

from __future__ import annotations

from datetime import datetime

from ecm.audit.entry import Facts, Subject, written
from ecm.store.db import Connection
from ecm.store.queries import load_queries

sql = load_queries(__package__, "audit.sql")


async def write_down(
    connection: Connection,
    tenant_id: int,
    who: str | Subject,
    action: str,
    subject: str | Subject,
    at: datetime,
    *,
    reason: str | None = None,
    origin: str | None = None,
    agent: str | None = None,
    facts: Facts | None = None,
) -> None:
    """Adds one entry within the caller's transaction. `who` is `str(actor)`, `origin` an address, `agent` a browser.

    Of `who` and `subject` the ref stays for ever ("account 4"); what follows it can be erased, as can `reason`,
    `origin` and `agent`. `facts` stay. The ref is told by its looks (`ecm_ref_of`), unless a Subject says it.
    Linked at the commit, so one transaction writes down for one tenant.
    """
    await connection.execute(
        sql.insert_entry,
        tenant_id,
        at,
        str(who),
        action,
        str(subject),
        reason,
        origin,
        agent,
        who.ref if isinstance(who, Subject) else None,
        subject.ref if isinstance(subject, Subject) else None,
        written(facts or {}),
    )
