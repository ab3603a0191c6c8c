"""The head of a chain as a line of text, told to somebody outside and brought back to prove the chain by.

    {"at":"2026-11-22T02:30:00+00:00","hash":"6f1f…","seq":812,"signature":"9a4c…","tenant":1}

`signature` is HMAC-SHA256 of the line without it, under ECM_AUDIT_KEY: so the file itself need not be trusted.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ecm.audit.entry import Head
from ecm.errors import NotUnderstood


class HeadsNotTrusted(NotUnderstood):
    """These heads prove nothing."""

    slug = "heads-not-trusted"


def line_of(tenant_id: int, head: Head, at: datetime, key: str | None) -> str:
    """One head as it is told, without a line break."""
    told: dict[str, Any] = {
        "tenant": tenant_id,
        "seq": head.seq,
        "hash": head.hash.hex(),
        "at": at.isoformat(timespec="seconds"),
    }
    if key is not None:
        told["signature"] = _signature(key, told)
    return _text(told)


def read_heads(lines: Iterable[str], key: str | None) -> dict[int, dict[int, bytes]]:
    """Each tenant's heads, hash by place. With a `key`, unsigned lines are not believed.

    Raises HeadsNotTrusted for a line that is none, is not signed as it should be, or says another hash of a place.
    """
    heads: dict[int, dict[int, bytes]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        tenant_id, head = _understood(number, line, key)
        if heads.setdefault(tenant_id, {}).setdefault(head.seq, head.hash) != head.hash:
            raise HeadsNotTrusted(
                f"line {number} says another hash of place {head.seq} than a line before it"
            )
    return heads


def _understood(number: int, line: str, key: str | None) -> tuple[int, Head]:
    try:
        said = json.loads(line)
        tenant_id, head = int(said["tenant"]), Head(int(said["seq"]), bytes.fromhex(said["hash"]))
        signature = str(said.pop("signature", ""))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise HeadsNotTrusted(f"line {number} is no head of a chain") from None
    if key is not None and not hmac.compare_digest(signature.encode(), _signature(key, said).encode()):
        raise HeadsNotTrusted(f"line {number} is not signed with this ECM_AUDIT_KEY")
    return tenant_id, head


def _signature(key: str, told: dict[str, Any]) -> str:
    return hmac.new(key.encode(), _text(told).encode(), hashlib.sha256).hexdigest()


def _text(told: dict[str, Any]) -> str:
    return json.dumps(told, sort_keys=True, separators=(",", ":"))
