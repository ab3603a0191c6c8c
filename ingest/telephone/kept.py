"""A phone call as the database keeps it: its interview, and the answer given at each step, to be given again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ecm.store.db import Connection
from ecm.store.queries import load_queries
from ingest.telephone.turn import Caller, Gather, Interview, Person, Say, State, Turn

sql = load_queries(__package__, "telephone.sql")


@dataclass(frozen=True, slots=True)
class PhoneCall:
    """`step`: of the interview as kept. Its answer is missing while somebody works on it, or fell over doing so."""

    tenant_id: int
    gateway: str
    call_id: str
    cli: str | None
    dialled: str
    zone: ZoneInfo
    step: int
    interview: Interview
    answers: Mapping[str, Any]
    ended: bool

    def answer(self, step: int) -> Turn | None:
        """What was answered at that step."""
        kept = self.answers.get(str(step))
        return None if kept is None else _turn(self.interview, kept, step)

    def last_answer(self) -> Turn:
        """Whatever is asked out of turn gets the newest answer again."""
        newest = max((int(step) for step in self.answers), default=None)
        found = None if newest is None else self.answer(newest)
        return found or Turn(self.interview, hang_up=True, step=self.step)


async def load(connection: Connection, tenant_id: int, gateway: str, call_id: str) -> PhoneCall | None:
    row = await connection.fetchrow(sql.phone_call, tenant_id, gateway, call_id)
    if row is None:
        return None
    return PhoneCall(
        tenant_id,
        gateway,
        call_id,
        row["cli"],
        row["dialled"],
        ZoneInfo(row["zone"]),
        row["step"],
        _interview(row["interview"]),
        row["answers"],
        row["ended_at"] is not None,
    )


async def begin(
    connection: Connection,
    tenant_id: int,
    gateway: str,
    call_id: str,
    began_at: datetime,
    cli: str | None,
    dialled: str,
    turn: Turn,
) -> None:
    """Keeps the first turn, unless there is one."""
    await connection.execute(
        sql.begin,
        tenant_id,
        gateway,
        call_id,
        began_at,
        cli,
        dialled,
        asdict(turn.interview),
        {} if turn.wants else {"0": _answer(turn)},
    )


async def save(
    connection: Connection, kept: PhoneCall, step: int, turn: Turn, ended_at: datetime | None
) -> bool:
    """The interview at `step`, and its answer if it is one. False when somebody else was first."""
    saved = await connection.fetchval(
        sql.save,
        kept.tenant_id,
        kept.gateway,
        kept.call_id,
        kept.step,
        step,
        asdict(turn.interview),
        None if turn.wants else _answer(turn),
        ended_at,
    )
    return saved is not None


def _answer(turn: Turn) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "language": turn.interview.language,
        "says": [[say.key, dict(say.values), say.language] for say in turn.says],
    }
    if turn.gather is not None:
        answer["gather"] = [turn.gather.max_digits, turn.gather.finish_key, turn.gather.timeout_s]
    if turn.hang_up:
        answer["hang_up"] = True
    if turn.reject:
        answer["reject"] = True
    return answer


def _turn(interview: Interview, answer: Mapping[str, Any], step: int) -> Turn:
    gather = answer.get("gather")
    return Turn(
        # In the language it was said in; the rest of the interview is where it stands now.
        interview=_in_language(interview, answer["language"]),
        says=tuple(Say(key, values, language) for key, values, language in answer["says"]),
        gather=Gather(*gather) if gather else None,
        hang_up=bool(answer.get("hang_up")),
        reject=bool(answer.get("reject")),
        step=step,
    )


def _in_language(interview: Interview, language: str) -> Interview:
    return _interview(asdict(interview) | {"language": language})


def _interview(kept: Mapping[str, Any]) -> Interview:
    return Interview(
        **dict(kept)
        | {
            "state": State(kept["state"]),
            "caller": Caller(kept["caller"]),
            "staff": tuple(kept["staff"]),
            "people": tuple(Person(**person) for person in kept["people"]),
            "person": kept["person"] and Person(**kept["person"]),
        }
    )
