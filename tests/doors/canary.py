"""Words and numbers that tell, wherever they turn up, whose row they came from and what one must be allowed to see it.

zqothadrpostcodeqz      of OTH's, an ADR(ess), column postcode
7722012                 the same as a number: owner 2, topic 1, owner 2
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ecm.permit import Action

# Whose. `own`: provider P1's, of the worker who asks; `col`: P1's, of a colleague; `oth`: the other provider's of the
# same authority; `top`: the authority's own, of no provider; `abr`: the other authority's.
OWNERS = {"own": 1, "oth": 2, "abr": 3, "col": 4, "top": 5}
OF_NUMBER = {str(number): owner for owner, number in OWNERS.items()}

# What one must be allowed to do, to read it at all. `any`: whatever let one in.
TOPICS: dict[str, tuple[Action, ...]] = {
    "any": (),
    "adr": (Action.READ_FULL_ADDRESS,),
    "pay": (Action.READ_ACTUALS, Action.RUN_PAYMENT),
    "acc": (Action.MANAGE_ACCOUNTS, Action.READ_AUDIT),
    "key": (Action.MANAGE_KEYS,),
    "aud": (Action.READ_AUDIT,),
    "qua": (Action.READ_QUARANTINE,),
    "saf": (Action.READ_KEY_SAFE,),
    "sig": (Action.MANAGE_SIGN_IN,),
}
OF_DIGIT = dict(enumerate(TOPICS))

WORD = re.compile(rf"zq({'|'.join(OWNERS)})({'|'.join(TOPICS)})([a-z]*)qz", re.I)
# Seven digits, so that no clock's microseconds are one; pence may stand as pounds.
NUMBER = re.compile(r"(?<![0-9A-Za-z])77([1-5])\1([0-7])\.?([0-9])\1(?![0-9A-Za-z])")
PHONE = re.compile(r"447700900(77|88)([1-5])")
UUID = re.compile(r"-77([1-5])\1-4000-8", re.I)
UUID_PLAIN = re.compile(r"77([1-5])\1(?:4000)8[0-9a-f]{15}", re.I)


@dataclass(frozen=True, slots=True)
class Canary:
    owner: str
    topic: str
    text: str


def word(owner: str, topic: str, column: str) -> str:
    return f"zq{owner}{topic}{column}qz"


def number(owner: str, topic: str = "any", nth: int = 0) -> int:
    """Seven digits; `nth` tells apart up to ten of one owner and topic."""
    digit = OWNERS[owner]
    return int(f"77{digit}{digit}{list(TOPICS).index(topic)}{nth}{digit}")


def phone(owner: str, *, of_worker: bool = False) -> str:
    """A number that rings nobody."""
    return f"+447700900{88 if of_worker else 77}{OWNERS[owner]}"


def uuid(owner: str, nth: int) -> str:
    digit = OWNERS[owner]
    return f"0d00d0{nth:02x}-77{digit}{digit}-4000-8000-00000000{nth:04x}"


def found(text: str) -> Iterator[Canary]:
    """Every canary in a text."""
    for hit in WORD.finditer(text):
        yield Canary(hit[1].lower(), hit[2].lower(), hit[0])
    for hit in NUMBER.finditer(text):
        yield Canary(OF_NUMBER[hit[1]], OF_DIGIT[int(hit[2])], hit[0])
    for pattern, owner_group in ((PHONE, 2), (UUID, 1), (UUID_PLAIN, 1)):
        for hit in pattern.finditer(text):
            yield Canary(OF_NUMBER[hit[owner_group]], "any", hit[0])
