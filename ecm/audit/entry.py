"""What is written down of one act, and what its parts may hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

Facts: TypeAlias = Mapping[str, "str | int | Sequence[str] | Sequence[int]"]
"""Refs and numbers by name, for ever: nobody's name, address or words."""

WORDS_ERASED = "words_erased"


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody or something by its ref, which stays, and its words, which can be erased.

    For what a ref cannot be told from by its looks (`ecm_ref_of`), such as a reference with spaces.
    """

    ref: str
    words: str = ""

    def __str__(self) -> str:
        return f"{self.ref} {self.words}".strip()


@dataclass(frozen=True, slots=True)
class Words:
    """What is committed to and not linked: it may be erased."""

    actor: str
    subject: str
    reason: str | None = None
    origin: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it is stored. `facts` is the text that was linked; `salt` is None once the words were erased."""

    audit_id: int
    at: datetime
    actor_ref: str
    action: str
    subject_ref: str
    facts: str
    commitment: bytes
    salt: bytes | None
    words: Words


@dataclass(frozen=True, slots=True)
class Linked:
    """One place of the chain, and the entry that is there; None where it is gone."""

    seq: int
    audit_id: int
    hash: bytes
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of a chain at some moment."""

    seq: int
    hash: bytes


def written(facts: Facts) -> str:
    """The one way in which these facts are text. Raises ValueError for what is neither text nor a whole number."""
    for value in facts.values():
        for one in value if isinstance(value, list | tuple) else (value,):
            if (
                not isinstance(one, str | int)
                or isinstance(one, bool)
                or (isinstance(one, str) and "\0" in one)
            ):
                raise ValueError(f"facts are texts and whole numbers, and {one!r} is neither")
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def erased_by(entry: Entry) -> Sequence[int]:
    """The places whose words this entry says it erased."""
    if entry.action != WORDS_ERASED:
        return ()
    try:
        said = json.loads(entry.facts).get("erased", ())
    except (ValueError, AttributeError):
        return ()
    return [seq for seq in said if isinstance(seq, int)] if isinstance(said, list) else ()
