"""Which files may open the database without saying for whom, and who makes what it is told of them."""

from __future__ import annotations

import re

from tests.house.repository import PACKAGES, ROOT

# They act as the service itself, under a lock that sees all of one authority.
WITHOUT_AN_ACTOR = {
    "ecm/api/accounts.py": "the first account and key, by the command line",
    "ecm/api/council.py": "joins whoever showed their council that it is they",
    "ecm/api/council_visit.py": "tells an authority that its council is away, before anybody is known",
    "ecm/api/held.py": "everything about one person, whom only the lock of whoever asks names",
    "ecm/api/own_council.py": "who is joined is administrators' to see; each asks for themselves",
    "ecm/api/council_people.py": "a council's word is read before anybody is known",
    "ecm/api/phones.py": "a one-time code is presented before anybody is known",
    "ecm/api/setup.py": "the first administrator is made before anybody is known",
    "ecm/api/sign_in.py": "a password is tried before anybody is known",
    "ecm/board/cuts.py": "asks of every open socket whether it may still look",
    "ecm/board/hub.py": "one feed for every board of an authority; each socket has its cage (viewers.py)",
    "ecm/cli/audit.py": "the command line",
    "ecm/cli/actuals.py": "the command line",
    "ecm/cli/contacts.py": "the command line",
    "ecm/cli/data.py": "the command line",
    "ecm/cli/lines.py": "the command line",
    "ecm/cli/place.py": "the command line",
    "ecm/lock.py": "makes it",
    "ecm/store/db.py": "makes it",
    "ingest/proving.py": "of the role ecm_ingest, which sees the tenants of its batch",
    "ingest/telephone/conductor.py": "the telephone: who rings is found out within",
    "ingest/telephone/pins.py": "the telephone",
    "ingest/telephone/texts.py": "the telephone",
}
OPENED = re.compile(r"\.tenant\(|ecm\.lock import .*\bsystem\b|^def system\(", re.MULTILINE)

MAKES_LOCKS = {
    "ecm/lock.py": "says what one is",
    "ecm/permit.py": "of whoever signed in",
    "ecm/phone_doors.py": "of a phone",
}
MADE = re.compile(r"(?<!asyncio\.)(?<!threading\.)\bLock\(")


def test_only_these_files_open_a_tenant_without_an_actor() -> None:
    """What is opened for somebody is opened by `locked(who.lock)`: a check that was forgotten lets them no further."""
    assert files_with(OPENED) == set(WITHOUT_AN_ACTOR)


def test_only_whoever_knows_the_actor_makes_a_lock() -> None:
    """A door that makes one of what it was asked for would unlock itself."""
    assert files_with(MADE) == set(MAKES_LOCKS)


def files_with(pattern: re.Pattern[str]) -> set[str]:
    return {
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if pattern.search(file.read_text("utf-8"))
    }
