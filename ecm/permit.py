"""Who may do what, and over whose people.

One table decides it all: a row for each action, a column for each role of an account and each scope of a key.

    all   over the whole tenant
    own   over the account's own provider
    mine  over the visits of the care worker who holds the phone, whoever's visits they are
    -     not at all

The answer carries its reason, in words that go to the caller and the log. What is deliberately not here:
which rows a provider's own people see. Each query narrows itself by `reach(...)`, and row-level security
stands behind it.

Care workers record visits, and see their own on a phone. The administrator runs the service and may look, but moves
no visit and no money. Who runs a payment cannot lock its period: two people approve. Only those who must find a door
see a full address, and the auditor, who sees everything and changes nothing; how to get in is told at the door alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, get_args

from ecm.errors import NotPermitted, StepUpNeeded
from ecm.lock import NOBODY, Lock


class Action(StrEnum):
    RECORD_CHECK_EVENT = "record_check_event"
    IMPORT_DATA = "import_data"
    READ_VISITS = "read_visits"
    READ_FULL_ADDRESS = "read_full_address"
    AMEND_VISIT = "amend_visit"
    ACKNOWLEDGE_ALERT = "acknowledge_alert"
    READ_BOARD = "read_board"
    READ_UNMATCHED = "read_unmatched"
    READ_ACTUALS = "read_actuals"
    RUN_PAYMENT = "run_payment"
    LOCK_PERIOD = "lock_period"
    READ_QUALITY = "read_quality"
    READ_QUARANTINE = "read_quarantine"
    READ_AUDIT = "read_audit"
    MANAGE_ACCOUNTS = "manage_accounts"
    MANAGE_KEYS = "manage_keys"
    MANAGE_PHONES = "manage_phones"
    MANAGE_TAGS = "manage_tags"
    SET_KEY_SAFE = "set_key_safe"
    READ_KEY_SAFE = "read_key_safe"
    READ_OWN_DATA = "read_own_data"
    MANAGE_LEAVERS = "manage_leavers"
    MANAGE_SIGN_IN = "manage_sign_in"
    ERASE_PERSONAL = "erase_personal"
    VERIFY_AUDIT = "verify_audit"


TABLE = """
                    care_  coordi- mana- duty_   finance finance_ quality adminis- audi- | ingest read import | phone
                    worker nator   ger   officer         approver         trator   tor   |                    |
record_check_event  own    own     own   all     -       -        -       -        -     | all    -    -       | mine
import_data         -      -       -     -       -       -        -       all      -     | -      -    all     | -
read_visits         -      own     own   all     all     all      all     all      all   | -      all  -       | mine
read_full_address   -      own     own   all     -       -        -       -        all   | -      -    -       | mine
amend_visit         -      own     own   all     -       -        -       -        -     | -      -    -       | -
acknowledge_alert   -      own     own   all     -       -        -       -        -     | -      -    -       | -
read_board          -      own     own   all     -       -        all     all      all   | -      -    -       | -
read_unmatched      -      own     own   all     -       -        all     all      all   | -      -    -       | -
read_actuals        -      -       own   -       all     all      -       -        all   | -      all  -       | -
run_payment         -      -       -     -       all     -        -       -        -     | -      -    -       | -
lock_period         -      -       -     -       -       all      -       -        -     | -      -    -       | -
read_quality        -      -       own   all     -       -        all     -        all   | -      -    -       | -
read_quarantine     -      -       -     -       -       -        -       all      all   | -      -    -       | -
read_audit          -      -       -     -       -       -        -       all      all   | -      -    -       | -
manage_accounts     -      -       -     -       -       -        -       all      -     | -      -    -       | -
manage_keys         -      -       -     -       -       -        -       all      -     | -      -    -       | -
manage_phones       -      own     own   -       -       -        -       all      -     | -      -    -       | -
manage_tags         -      own     own   -       -       -        -       all      -     | -      -    -       | -
set_key_safe        -      own     own   -       -       -        -       all      -     | -      -    -       | -
read_key_safe       -      -       -     -       -       -        -       -        -     | -      -    -       | mine
read_own_data       own    own     own   all     all     all      all     all      all   | -      -    -       | mine
manage_leavers      -      own     own   -       -       -        -       all      -     | -      -    -       | -
manage_sign_in      -      -       -     -       -       -        -       all      -     | -      -    -       | -
erase_personal      -      -       -     -       -       -        -       all      -     | -      -    -       | -
verify_audit        -      -       -     -       -       -        -       all      all   | -      -    -       | -
"""

# How long ago somebody must have proved again that it is they, before they change something by it.
STEP_UP: Mapping[Action, timedelta] = MappingProxyType(
    {
        Action.LOCK_PERIOD: timedelta(minutes=10),
        Action.MANAGE_SIGN_IN: timedelta(minutes=10),
        Action.ERASE_PERSONAL: timedelta(minutes=10),
    }
)

ProviderRole = Literal["care_worker", "coordinator", "manager"]
CommissionerRole = Literal[
    "duty_officer", "finance", "finance_approver", "quality", "administrator", "auditor"
]
KeyScope = Literal["ingest", "read", "import"]

PROVIDER_ROLES: tuple[str, ...] = get_args(ProviderRole)
ROLES: tuple[str, ...] = (*PROVIDER_ROLES, *get_args(CommissionerRole))
KEY_SCOPES: tuple[str, ...] = get_args(KeyScope)
PHONE = "phone"

# These change nothing. Whoever has no other action changes nothing at all, and the database sees to it.
LOOKING: frozenset[Action] = frozenset(action for action in Action if action.startswith("read_")) | {
    Action.VERIFY_AUDIT
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. A key has `scopes`, an account a `role`; `provider_ref` narrows whoever has one.

    `care_worker_ref`: who holds the phone, or whose account it is.
    """

    kind: Literal["account", "key", "phone", "system"]
    tenant_id: int
    id: int
    name: str
    role: str = ""
    provider_ref: str | None = None
    scopes: frozenset[str] = frozenset()
    stepped_up_at: datetime | None = None
    signed_in_by: str = ""
    limited: bool = False  # signed in only to finish setting up how
    care_worker_ref: str | None = None

    @property
    def lock(self) -> Lock:
        """What the database is told of this actor. A key's role is its scopes."""
        role = " ".join(sorted(self.scopes)) if self.kind == "key" else self.role or self.kind
        provider, worker = self.provider_ref, self.care_worker_ref
        if self.role in PROVIDER_ROLES and provider is None:
            provider = NOBODY
        if self.role == "care_worker" and worker is None:
            worker = NOBODY
        return Lock(self.tenant_id, provider, worker, role, f"{self.kind} {self.id}")

    def __str__(self) -> str:
        """As the audit names them."""
        return f"{self.kind} {self.id} {self.name}"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose the thing is. None: nobody's in particular, such as a list that narrows itself.

    `care_worker_refs`: who is to come to the visit, or has come.
    """

    provider_ref: str | None = None
    care_worker_refs: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    allowed: bool
    reason: str

    def __bool__(self) -> bool:
        return self.allowed


ANYWHERE = Scope()


def permit(actor: Actor, action: Action, scope: Scope = ANYWHERE) -> Decision:
    """Whether `actor` may do `action` to a thing of `scope`, and why."""
    if actor.kind == "system":
        return Decision(True, "the service itself")
    if actor.limited:
        return Decision(False, "whoever has not finished setting up how they sign in may do nothing else")
    columns = actor.scopes if actor.kind == "key" else {actor.role}
    who = _named(actor)
    words = {_CELLS.get((action, column), "-") for column in columns}
    if not words - {"-"}:
        return Decision(False, f"{who} may not {_in_words(action)}")
    if words == {"mine"}:
        return _mine(actor, action, scope)
    if "all" in words and actor.provider_ref is None:
        return Decision(True, f"{who} may {_in_words(action)}")
    if actor.provider_ref is None:
        return Decision(False, f"{who} may {_in_words(action)} for its provider, and this account has none")
    if scope.provider_ref not in (None, actor.provider_ref):
        return Decision(False, f"{who} may {_in_words(action)} for provider {actor.provider_ref} only")
    return Decision(True, f"{who} may {_in_words(action)} for provider {actor.provider_ref}")


def _named(actor: Actor) -> str:
    if actor.kind == "key":
        return f"a key for {', '.join(sorted(actor.scopes)) or 'nothing'}"
    return "a phone" if actor.kind == "phone" else f"role {actor.role}"


def _mine(actor: Actor, action: Action, scope: Scope) -> Decision:
    """A borrowed worker's visit is another provider's, so it is not asked whose it is but who comes."""
    may = f"{_named(actor)} may {_in_words(action)}"
    if actor.care_worker_ref is None:
        return Decision(False, f"{may} for the care worker who holds it, and nobody does")
    if scope.care_worker_refs is None or actor.care_worker_ref in scope.care_worker_refs:
        return Decision(True, f"{may} for the visits of its care worker")
    return Decision(False, f"{may} for the visits of its care worker only")


def require(actor: Actor, action: Action, scope: Scope = ANYWHERE) -> None:
    """Raises NotPermitted, with the reason as its detail."""
    decision = permit(actor, action, scope)
    if not decision.allowed:
        raise NotPermitted(decision.reason)


def is_above(role: str, actor: Actor) -> bool:
    """Whether a provider's `role` stands above the actor's own: a coordinator lets no manager go."""
    mine, theirs = (
        PROVIDER_ROLES.index(each) if each in PROVIDER_ROLES else None for each in (actor.role, role)
    )
    return mine is not None and theirs is not None and theirs > mine


def require_step_up(actor: Actor, action: Action, now: datetime) -> None:
    """Raises StepUpNeeded where `action` asks for a proof younger than the one this session holds. Real time."""
    lasts = STEP_UP.get(action)
    if lasts is None or actor.kind == "system":
        return
    if actor.stepped_up_at is None or now - actor.stepped_up_at > lasts:
        raise StepUpNeeded(f"to {_in_words(action)}, prove again that it is you")


def reach(actor: Actor, action: Action) -> str | None:
    """The one provider whose rows a query for `action` may show; None for all. Raises NotPermitted."""
    require(actor, action)
    return actor.provider_ref


def word_of(action: Action, column: str) -> str:
    """What the table says of a role or a key's scope: a word of its cells."""
    return _CELLS[action, column]


def _in_words(action: Action) -> str:
    return action.replace("_", " ")


def _read(table: str) -> dict[tuple[Action, str], str]:
    columns = (*ROLES, *KEY_SCOPES, PHONE)
    cells: dict[tuple[Action, str], str] = {}
    for line in table.strip("\n").splitlines()[2:]:
        name, *words = line.replace("|", " ").split()
        assert len(words) == len(columns), line
        cells |= {(Action(name), column): word for column, word in zip(columns, words, strict=True)}
    assert {action for action, _ in cells} == set(Action)
    return cells


_CELLS = _read(TABLE)
