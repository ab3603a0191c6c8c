"""What whoever administers should know of the doors and keys: counted, shown in the settings, and told by message.

Alerts are about visits and wake the duty desk; a notice is about an account, a phone or the audit. It names its subject
by kind and id, because it goes out by mail. What stands in the audit becomes one by itself (migration 0016), whichever
door wrote it down; the rest is said here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ecm.store.db import Connection
from ecm.store.queries import load_queries

sql = load_queries(__package__, "notices.sql")


class Kind(StrEnum):
    GUESSING = "guessing"
    PASSKEY_COPIED = "passkey_copied"
    RECOVERY_CODE_USED = "recovery_code_used"
    ADMINISTRATOR_MADE = "administrator_made"
    APPROVER_MADE = "approver_made"
    APPROVER_LET_IN = "approver_let_in"
    CUT_OFF_PHONE_USED = "cut_off_phone_used"
    COUNCIL_SIGN_IN_AWAY = "council_sign_in_away"
    AUDIT_CHAIN_BROKEN = "audit_chain_broken"
    AUDIT_HEAD_NOT_EXPORTED = "audit_head_not_exported"
    POSITIONS_NOT_REDUCED = "positions_not_reduced"


@dataclass(frozen=True, slots=True)
class Saying:
    """`words` follow the subject. `tell_from`: how many times before it is worth a message."""

    words: str
    do: str
    tell_from: int = 1


SAYINGS: dict[Kind, Saying] = {
    Kind.GUESSING: Saying(
        "is being guessed at", "Ask its owner whether it was they; a passkey cannot be guessed.", 20
    ),
    Kind.PASSKEY_COPIED: Saying(
        "used a passkey whose counter went back: it may have been copied",
        "Remove that passkey and make a new one.",
    ),
    Kind.RECOVERY_CODE_USED: Saying(
        "signed in by a recovery code", "If that was not its owner, end its sessions and reset its ways in."
    ),
    Kind.ADMINISTRATOR_MADE: Saying(
        "was made an administrator", "If nobody here meant that, disable it now."
    ),
    Kind.APPROVER_MADE: Saying(
        "may now lock payments", "Two people pay: if nobody in finance asked for it, disable it now."
    ),
    Kind.APPROVER_LET_IN: Saying(
        "locks payments and was given a new password",
        "If its owner did not ask for it, disable the account and look at what was locked since.",
    ),
    Kind.CUT_OFF_PHONE_USED: Saying(
        "is cut off and still asks to be let in", "If it was lost, somebody has it switched on."
    ),
    Kind.COUNCIL_SIGN_IN_AWAY: Saying(
        "does not answer: nobody can sign in by it", "Passkeys and passwords still work.", 5
    ),
    Kind.AUDIT_CHAIN_BROKEN: Saying(
        "does not hold together",
        "Run `ecm audit verify`, keep the database as it is, and call whoever owns it.",
    ),
    Kind.AUDIT_HEAD_NOT_EXPORTED: Saying(
        "has not gone out for more than a day", "Look at ECM_AUDIT_HEADS_FILE and ECM_AUDIT_HEADS_URL."
    ),
    Kind.POSITIONS_NOT_REDUCED: Saying(
        "are kept longer than you said: they could not be taken away",
        "It is tried again every night; the worker's log says what failed.",
    ),
}


async def notice(connection: Connection, kind: Kind, subject: str, at: datetime) -> None:
    """Says it within a transaction of the web's, for its tenant. `subject`: kind and id, no name."""
    await connection.execute(sql.add, kind, subject, at, SAYINGS[kind].tell_from)


async def notice_by_worker(
    connection: Connection, tenant_id: int, kind: Kind, subject: str, at: datetime
) -> None:
    """Says it within the worker's transaction."""
    await connection.execute(sql.add_by_worker, tenant_id, kind, subject, at, SAYINGS[kind].tell_from)


def in_words(kind: str, subject: str) -> str:
    """A sentence, also for a kind that a newer program wrote."""
    known = SAYINGS.get(Kind(kind)) if kind in set(Kind) else None
    words = known.words if known else kind.replace("_", " ")
    return f"{subject[:1].upper()}{subject[1:]} {words}."


def what_to_do(kind: str) -> str:
    return SAYINGS[Kind(kind)].do if kind in set(Kind) else ""
