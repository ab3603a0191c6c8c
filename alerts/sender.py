"""Deliveries leave the house: claimed on a lease, sent, then recorded.

The claim is committed before anything is sent and the record after. A worker that dies in between leaves a lease
that ends, and another sends again: a second notification is allowed, a lost one never. A message that is not
taken is tried again after BACK_OFF_SECONDS, one after another, and then for ever after the last of them, while the
alert is open: a gateway may be away for a night, and the visit is missed all the same. Only what nobody was to
get up for is given up (`may_be_given_up`). A refusal ends a page no more than silence does: a mail server's 550 or an
odd answer of a name server may be gone in a minute. The health page shows it while a page does not get through.

What need not be sent any more is skipped when its turn comes: an alert that is over, or a later rung of the ladder
once somebody has taken the alert on. When they give it back, alerts.worker makes those rungs due again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from alerts.channels import CHANNELS
from alerts.channels.message import Channel, Message, NotDelivered, Undeliverable
from alerts.said import SOS
from ecm.clock import Clock
from ecm.settings import Settings
from ecm.store.db import Database, Record
from ecm.store.queries import load_queries
from ecm.visit.model import DeadlineKind

sql = load_queries(__package__, "deliveries.sql")
log = logging.getLogger(__name__)

BATCH = 50
URGENT_BATCH = 10
LEASE_SECONDS = 60
SENDING_SECONDS = 10
"""The longest one sending may take: well within the lease."""
BACK_OFF_SECONDS = (5, 15, 60, 120, 300, 600, 1200)
TROUBLE_FROM_ATTEMPT = 3
"""From here on a page that is not taken is trouble, and no hiccup: the health page says so."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`state` as in deliveries; `again_after`: pending still, and due then. `error` says why it was not sent;
    `refused`: somebody has to look at it."""

    state: str
    error: str | None = None
    again_after: timedelta | None = None
    refused: bool = False


SENT = Outcome("sent")


class Sender:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        settings: Settings,
        channels: Mapping[str, Channel] | None = None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._public_url = settings.public_url
        made = {name: channel(settings) for name, channel in CHANNELS.items()}
        self._channels: Mapping[str, Channel] = channels if channels is not None else made
        self._process = f"worker {socket.gethostname()} {os.getpid()}"

    async def step(self) -> bool:
        """Sends what is due, up to a batch, side by side. True if there was any. Raises DatabaseAway."""
        return await self._step(BATCH, urgent=False)

    async def urgent_step(self) -> bool:
        """The same for critical alarms that nobody tried to send yet, so that a call for help never stands behind
        gateways that hang: a lane of their own (ecm.worker)."""
        return await self._step(URGENT_BATCH, urgent=True)

    async def _step(self, batch: int, *, urgent: bool) -> bool:
        async with self._db.transaction() as connection:
            claimed = await connection.fetch(
                sql.claim, self._clock.now(), datetime.now(UTC), batch, LEASE_SECONDS, urgent
            )
        # All of them end before the step does, so that none is left half-way by another's mishap.
        ends = await asyncio.gather(*map(self._deliver, claimed), return_exceptions=True)
        for error in ends:
            if error is not None:
                raise error
        return bool(claimed)

    async def _deliver(self, delivery: Record) -> None:
        needless = why_needless(delivery)
        outcome = Outcome("skipped", needless) if needless else await self._send(delivery)
        await self._record(delivery, outcome)

    async def _send(self, delivery: Record) -> Outcome:
        channel = self._channels.get(delivery["channel"])
        try:
            if channel is None:
                raise Undeliverable(f"there is no channel named {delivery['channel']}")
            async with asyncio.timeout(SENDING_SECONDS):
                await channel.send(message_of(delivery, self._public_url))
        except Undeliverable as error:
            again = _try_again(delivery, str(error))
            return (
                Outcome("failed", again.error) if may_be_given_up(delivery) else replace(again, refused=True)
            )
        except NotDelivered as error:
            return _try_again(delivery, str(error))
        except TimeoutError:
            return _try_again(delivery, f"not taken within {SENDING_SECONDS} s")
        except Exception as error:
            log.exception("delivery %s of tenant %s", delivery["delivery_id"], delivery["tenant_id"])
            return _try_again(delivery, type(error).__name__)
        return SENT

    async def _record(self, delivery: Record, outcome: Outcome) -> None:
        tenant_id, delivery_id, alert_id = (
            delivery[name] for name in ("tenant_id", "delivery_id", "alert_id")
        )
        now = self._clock.now()
        again_at = now + outcome.again_after * self._clock.speed if outcome.again_after else None
        sent_at = now if outcome.state == "sent" else None
        async with self._db.transaction() as connection:
            state = await connection.fetchval(sql.hold_alert, tenant_id, alert_id)
            if outcome.state == "skipped" and not why_needless(dict(delivery) | {"state": state}):
                outcome = Outcome("pending")  # given back since it was claimed
            await connection.execute(
                sql.record,
                tenant_id,
                delivery_id,
                delivery["leased_until"],
                outcome.state,
                again_at,
                outcome.error,
                sent_at,
            )
            may_know = outcome.state == "sent" or delivery["attempts"] > 1
            if delivery["about"] == "raised" and may_know:
                address = delivery["channel"], delivery["address"]
                await connection.execute(sql.tell_it_is_over, tenant_id, alert_id, *address, now)
            if (known := _for_the_health_page(delivery, outcome)) is not None:
                await connection.execute(sql.note_failure, self._process, datetime.now(UTC), known)


def why_needless(delivery: Mapping[str, Any] | Record) -> str | None:
    """Why a delivery need not be sent any more; None: it must."""
    over = delivery["state"] == "stood_down"
    if delivery["about"] == "stood_down":
        return None if over else "the alert is open again"
    if over:
        return "the alert is over"
    later_rung = delivery["due_at"] > delivery["raised_at"]
    if delivery["state"] == "acknowledged" and later_rung and delivery["attempts"] == 1:
        return "somebody has taken the alert on"
    return None


def message_of(delivery: Mapping[str, Any] | Record, public_url: str | None) -> Message:
    """What is said of an alert outside: of findings no words, because those may say where somebody was. Of a call for
    help the words, because who calls is all that is sure."""
    about = str(delivery["about"])
    words = delivery["stood_down_reason"] if about == "stood_down" else delivery["reason"]
    may_be_said = about == "stood_down" or delivery["kind"] in {*DeadlineKind, SOS}
    raised_at = delivery["raised_at"]
    assert isinstance(raised_at, datetime)
    local = raised_at.astimezone(ZoneInfo(str(delivery["zone"])))
    return Message(
        id=".".join(str(delivery[name]) for name in ("epoch", "tenant_id", "delivery_id", "round")),
        address=str(delivery["address"]),
        about=about,
        visit_ref=str(delivery["ref"]),
        kind=str(delivery["kind"]),
        severity=str(delivery["severity"]),
        reason=str(words or "") if may_be_said else "",
        raised_at=raised_at,
        raised_hh_mm=f"{local:%H:%M}",
        link=f"{public_url.rstrip('/')}/visits/{delivery['visit_id']}" if public_url else None,
    )


def may_be_given_up(delivery: Mapping[str, Any] | Record) -> bool:
    """Time alone ends only what is mere information, what is over, and what somebody has taken on."""
    told_that_it_rings = delivery["about"] == "raised" and delivery["state"] == "open"
    return not told_that_it_rings or str(delivery["severity"]) == "information"


def _try_again(delivery: Mapping[str, Any] | Record, error: str) -> Outcome:
    attempts = delivery["attempts"]  # counts this one
    if attempts > len(BACK_OFF_SECONDS) and may_be_given_up(delivery):
        return Outcome("failed", error)
    pause = BACK_OFF_SECONDS[min(attempts, len(BACK_OFF_SECONDS)) - 1]
    return Outcome("pending", error, timedelta(seconds=pause))


def _for_the_health_page(delivery: Mapping[str, Any] | Record, outcome: Outcome) -> dict[str, Any] | None:
    """In real time, as everything of a heartbeat. `page_failing_at` is None again once one gets through."""
    now = datetime.now(UTC).isoformat()
    is_page = not may_be_given_up(delivery)
    trouble = outcome.state == "failed" or (
        outcome.state == "pending" and (outcome.refused or delivery["attempts"] >= TROUBLE_FROM_ATTEMPT)
    )
    if is_page and trouble:
        return {"page_failing_at": now, "delivery_error": outcome.error}
    if outcome.state == "failed":
        return {"delivery_failed_at": now, "delivery_error": outcome.error}
    if is_page and outcome.state == "sent" and delivery["attempts"] >= TROUBLE_FROM_ATTEMPT:
        return {"page_failing_at": None}
    return None
