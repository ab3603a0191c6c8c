"""Reading where somebody lives is an act, and leaves an entry of the audit as every act does.

A page that is open asks again and again, so the same reader and person are one entry in ten minutes. What was noted is
remembered in this process and by no other, and not for ever: there may be an entry too many, and never one too few.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from fastapi import Request

from ecm.api.session import agent_of
from ecm.audit.entry import Subject
from ecm.audit.writing import write_down
from ecm.doors import Services, address_of
from ecm.permit import Actor
from ecm.phone_doors import Phone


async def note_read(
    door: Services,
    who: Actor | Phone,
    people: Iterable[str],
    request: Request,
    *,
    holder: str | None = None,
    things: Iterable[str] = (),
) -> None:
    """Writes down that `who` is told where these people live, before it is told. `people` are their refs.

    `holder`: the care worker who holds the phone that asks. `things`: what says where somebody is, and nobody knows of
    whom, such as "check event …". A list is one entry, with the refs among its facts.
    """
    reader = f"{who} of {holder}" if holder else str(who)
    key, now_s = f"{who.tenant_id} {reader}", time.monotonic()
    of_people = {f"service user {ref}": ref for ref in people}
    new = door.noted.new(key, (*of_people, *things), now_s)
    if not new:
        return
    facts = {
        "people": [of_people[ref] for ref in new if ref in of_people],
        "things": [ref for ref in new if ref not in of_people],
    }
    async with door.web.locked(who.lock) as connection:
        await write_down(
            connection,
            who.tenant_id,
            Subject(reader) if holder else reader,
            "address_read",
            Subject(new[0] if len(new) == 1 else "several"),
            door.clock.now(),
            origin=address_of(request),
            agent=agent_of(request),
            facts={name: refs for name, refs in facts.items() if refs},
        )
    door.noted.note(key, new, now_s)
