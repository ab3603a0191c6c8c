"""A tag in the home: the address it gave when it was read, `…/t/<tag id>` with what a secure tag adds to it.

kind      address                    proves
qr, nfc   always the same            whose home it is; it can be copied
ntag424   `?e=…&c=…`, new each tap   that the tag itself was tapped, once, after every tap we knew of
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import SplitResult, parse_qs, urlsplit

from ecm.ntag424 import TagKeys, Tap, belongs_to, tap
from ecm.sealing import Sealer, Unsealable
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries
from ecm.visit.proof import Proof
from ingest.home_proof import HomeProof
from ingest.model import CheckEventIn

sql = load_queries(__package__, "tags.sql")

PATH = "/t/"


async def check(
    connection: Connection, sealer: Sealer, tenant_id: int, event: CheckEventIn, received_at: datetime
) -> HomeProof:
    """Whose tag it is, and what its address proves. A tap is used by one event."""
    assert event.tag is not None
    tag = await connection.fetchrow(sql.tag, tenant_id, tag_id_of(event.tag))
    if tag is None or tag["retired_at"] is not None:
        return HomeProof((Proof.TAG_FORGED,))
    home = tag["service_user_ref"]
    elsewhere = (Proof.TAG_ELSEWHERE,) if event.service_user not in (None, home) else ()
    if tag["kind"] != "ntag424":
        return HomeProof(elsewhere or (Proof.TAG_PRINTED,), home)
    tapped = _tapped(tag, sealer, tenant_id, event.tag)
    if tapped is None:
        return HomeProof((Proof.TAG_FORGED,))
    await connection.execute(sql.use_tap, tenant_id, tag["tag_id"], tapped.counter, event.id, received_at)
    use = await connection.fetchrow(sql.tap_used, tenant_id, tag["tag_id"], tapped.counter)
    assert use is not None
    return HomeProof(elsewhere or (_of_use(use, event),), home)


def tag_id_of(address: str) -> str:
    """The tag's id in its address; the address may be a bare id."""
    path = _split(address).path
    return path.rpartition(PATH)[2].strip("/") if PATH in path else path.strip("/")


def _split(address: str) -> SplitResult:
    """Nonsense is an address of nothing."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _tapped(tag: Record, sealer: Sealer, tenant_id: int, address: str) -> Tap | None:
    said = parse_qs(_split(address).query)
    try:
        keys = TagKeys.of(sealer.open(tag["sealed_keys"], belongs_to(tenant_id, tag["tag_id"])))
    except (Unsealable, ValueError):
        return None
    tapped = tap(keys, said.get("e", [""])[0], said.get("c", [""])[0])
    return None if tapped is None or tag["uid"] not in (None, tapped.uid) else tapped


def _of_use(use: Record, event: CheckEventIn) -> Proof:
    if use["used_by"] != event.id:
        return Proof.TAG_REPEATED
    return Proof.TAG_STALE if use["overtaken"] else Proof.TAG_FRESH
