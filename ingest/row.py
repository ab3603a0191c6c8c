"""From an understood event to the row that is stored of it."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

import phonenumbers

from ingest.batch import Row
from ingest.keys import KeyHolder
from ingest.proving import NOTHING, Proved
from ingest.understand import Understood

HOME_REGION = "GB"


def row_of(
    understood: Understood, holder: KeyHolder, received_at: datetime, proved: Proved = NOTHING
) -> tuple[Row, tuple[str, ...]]:
    """What is stored of an event, and the warnings its sender gets."""
    event = understood.event
    warnings = understood.warnings
    lat = lon = accuracy_m = fixed_at = device_id = wall_clock = cli = None
    if (fix := event.fix) is not None:
        lat, lon, accuracy_m, fixed_at = fix.lat, fix.lon, fix.accuracy_m, fix.fixed_at
    if (device := event.device) is not None:
        device_id, wall_clock = device.id, device.wall_clock
    if event.cli is not None and (cli := e164(event.cli)) is None:
        warnings = (*warnings, "cli ignored: not a telephone number")
    row = Row(
        holder.tenant_id,
        event.id,
        received_at,
        event.kind,
        event.occurred_at,
        event.method,
        event.care_worker or proved.care_worker,
        event.service_user or proved.service_user,
        event.visit,
        lat,
        lon,
        accuracy_m,
        fixed_at,
        cli,
        event.reason_code,
        device_id,
        wall_clock,
        holder.key_id,
        understood.fingerprint,
        understood.text,
        proved.proofs,
    )
    return row, warnings


@lru_cache(maxsize=4096)
def e164(number: str) -> str | None:
    """+441632960001 for 01632 960001; None for what is no telephone number. National numbers are British."""
    try:
        parsed = phonenumbers.parse(number, HOME_REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
