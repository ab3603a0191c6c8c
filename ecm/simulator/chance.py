"""Small helps for tables of words and of weights."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TypeVar

T = TypeVar("T")


def listed(text: str, separator: str | None = None) -> tuple[str, ...]:
    """The words of a text, or its parts between separators, without the blanks about them."""
    return tuple(part.strip() for part in text.split(separator))


def drawn(rng: Random, weights: Mapping[T, float]) -> T:
    """One key of a table of weights; the weights need not add up to anything."""
    return rng.choices(tuple(weights), tuple(weights.values()))[0]
