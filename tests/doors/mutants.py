"""What could go wrong with a lock, done on purpose: each must turn a cell of the matrix red."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from ecm import doors, permit
from ecm.permit import Action

Done = Callable[[FastAPI], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """`seen_in`: the operation one of whose cells is red while it lasts."""

    name: str
    seen_in: str
    done: Done


def no_permit(action: Action, seen_in: str) -> Mutant:
    """A door forgets to ask: whoever is let in at all may."""

    @contextmanager
    def done(fastapi: FastAPI) -> Iterator[None]:
        list(
            iter_route_contexts(fastapi.routes)
        )  # the framework makes a door's dependencies when it is first come to
        forgotten = [door for door, asked in doors.ACTION_OF.items() if asked == action]
        before = dict(fastapi.dependency_overrides)
        fastapi.dependency_overrides.update(dict.fromkeys(forgotten, doors.actor))
        try:
            yield
        finally:
            fastapi.dependency_overrides.clear()
            fastapi.dependency_overrides.update(before)

    return Mutant(f"no permit for {action}", seen_in, done)


def no_reach(module: str, seen_in: str) -> Mutant:
    """A feature forgets to narrow its rows: it shows every provider's."""

    @contextmanager
    def done(_: FastAPI) -> Iterator[None]:
        feature = import_module(module)
        true = feature.reach
        feature.reach = lambda *_: None  # type: ignore[attr-defined]
        try:
            yield
        finally:
            feature.reach = true  # type: ignore[attr-defined]

    return Mutant(f"no reach in {module}", seen_in, done)


def no_step_up(seen_in: str) -> Mutant:
    """Nobody is asked to prove again that it is they."""

    @contextmanager
    def done(_: FastAPI) -> Iterator[None]:
        true = doors.require_step_up
        doors.require_step_up = lambda *_: None
        try:
            yield
        finally:
            doors.require_step_up = true

    return Mutant("no step-up", seen_in, done)


def another_word(action: Action, column: str, word: str, seen_in: str) -> Mutant:
    """Somebody's cell of the table says more than was written down."""

    @contextmanager
    def done(_: FastAPI) -> Iterator[None]:
        true = permit._CELLS[action, column]
        permit._CELLS[action, column] = word
        try:
            yield
        finally:
            permit._CELLS[action, column] = true

    return Mutant(f"{column} may {action}", seen_in, done)


# The application's checks, one at a time.
OF_THE_APPLICATION = (
    no_permit(Action.MANAGE_ACCOUNTS, "GET /v1/accounts"),
    no_permit(Action.MANAGE_ACCOUNTS, "POST /v1/accounts/{account_id}/disablement"),
    no_permit(Action.MANAGE_KEYS, "GET /v1/keys"),
    no_permit(Action.READ_AUDIT, "GET /v1/audit"),
    no_permit(Action.READ_QUARANTINE, "GET /v1/quarantine"),
    no_permit(Action.READ_BOARD, "POST /board/tickets"),
    no_permit(Action.IMPORT_DATA, "POST /v1/imports/providers"),
    no_reach("ecm.api.visits", "GET /v1/visits"),
    no_reach("ecm.api.visits", "GET /v1/visits/{visit_id}"),
    no_reach("ecm.api.evidence", "GET /v1/check-events/{event_id}"),
    no_reach("ecm.api.alerts", "GET /v1/alerts/{alert_id}"),
    no_reach("ecm.api.alerts", "POST /v1/alerts/{alert_id}/acknowledgement"),
    no_reach("ecm.api.amendments", "POST /v1/visits/{visit_id}/amendments"),
    no_reach("ecm.api.actuals", "GET /v1/actuals/{period}/export?format=xlsx"),
    no_reach("ecm.api.homes", "GET /v1/homes"),
    no_reach("ecm.api.phones", "GET /v1/phones"),
    no_step_up("DELETE /v1/oidc"),
    no_step_up("POST /v1/actuals/{period}/lock"),
    another_word(Action.READ_FULL_ADDRESS, "finance", "all", "GET /v1/visits/{visit_id}"),
    another_word(Action.READ_ACTUALS, "coordinator", "own", "GET /v1/actuals"),
)

# The database's, likewise: each by the statement that takes it away. Most doors join tables, each with a lock of its
# own, so that one alone that is gone shows nothing; at these doors it stands by itself.
OF_THE_DATABASE = (
    ("DROP POLICY of_tenant ON accounts", "GET /v1/accounts"),
    ("DROP POLICY of_tenant ON api_keys", "GET /v1/keys"),
    ("DROP POLICY of_tenant ON oidc_providers", "GET /v1/oidc"),
    ("DROP POLICY of_provider ON service_users", "GET /v1/homes"),
    ("DROP POLICY of_provider ON check_events", "GET /v1/check-events/{event_id}"),
    ("DROP POLICY of_provider ON devices", "GET /v1/phones"),
    ("DROP POLICY of_role ON oidc_providers", "GET /v1/oidc"),
    ("DROP POLICY of_role ON api_keys", "GET /v1/keys"),
    ("DROP POLICY of_role ON accounts", "GET /v1/accounts"),
    ("DROP POLICY of_role ON quarantine", "GET /v1/quarantine"),
    ("DROP POLICY may_add ON tags", "POST /v1/tags"),
    ("DROP POLICY may_change ON tags", "POST /v1/tags/{tag_id}/retirement"),
    ("DROP POLICY may_change ON devices", "POST /v1/phones/{device_id}/cut-off"),
    ("DROP POLICY may_change ON code_cards", "POST /v1/code-cards/{card_id}/retirement"),
)
