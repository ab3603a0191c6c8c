"""What each way in is worth: how many proofs it takes, whether it proves anew that it is you, and what limits it.

A limited session opens nothing but what its owner needs to finish setting up how they sign in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Way(StrEnum):
    PASSKEY = "passkey"
    OIDC = "oidc"
    PASSWORD_TOTP = "password_totp"  # noqa: S105 - the name of a way
    PASSWORD = "password"  # noqa: S105
    RECOVERY = "recovery"


# proofs    one is what somebody knows; two are that and something they hold, or a device that knows its holder
# steps_up  doing it again shows that they are still there
# limited   always; temporary: while somebody else has seen the password; required: where two proofs are asked for
TABLE = """
way             proofs  steps_up  limited
passkey         2       yes       never
oidc            2       yes       never
password_totp   2       yes       temporary
password        1       no        temporary,required
recovery        1       no        always
"""

ToFinish = Literal["password", "second_way"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of an account when somebody signs in to it."""

    password_temporary: bool
    second_way_required: bool
    has_passkey: bool
    has_code: bool

    @property
    def has_second_way(self) -> bool:
        return self.has_passkey or self.has_code


def steps_up(way: Way) -> bool:
    return _ROWS[way]["steps_up"] == "yes"


def proofs(way: Way) -> int:
    return int(_ROWS[way]["proofs"])


def to_finish(way: Way, standing: Standing) -> list[ToFinish]:
    """What must be done before a session by `way` is a whole one; nothing: it is."""
    limited = _ROWS[way]["limited"].split(",")
    left: list[ToFinish] = []
    if standing.password_temporary and {"temporary", "always"} & set(limited):
        left.append("password")
    if "always" in limited or ("required" in limited and standing.second_way_required):
        left.append("second_way")
    return left


def _read(table: str) -> dict[Way, dict[str, str]]:
    head, *lines = table.strip().splitlines()
    rows = [dict(zip(head.split(), line.split(), strict=True)) for line in lines]
    assert [row["way"] for row in rows] == list(Way)
    return {Way(row["way"]): row for row in rows}


_ROWS = _read(TABLE)
