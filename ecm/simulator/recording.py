"""How a stay is recorded: by which means, with what fix, by whose clock, and when it is sent.

Each worker has one phone for the day. It may be without signal for a spell, and then sends all it kept as
one batch; its clock may be wrong. A call from the person's own telephone needs neither signal nor clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from ecm.simulator.borough import Borough
from ecm.simulator.chance import drawn
from ecm.simulator.journeys import Stay
from ecm.simulator.noise import Stop
from ecm.simulator.rates import METHODS, Rates
from ecm.simulator.streets import moved
from ecm.simulator.values import CareWorker, PlannedVisit, ServiceUser, local_instant

BATCH_MAX = 500  # what the door takes in one request
APP_VERSION = "1.4.0"
SLOW_SEND_SHARE = 0.02
HOME_BY_MINUTE = 23 * 60 + 40  # local; everybody has signal again
NEAR = timedelta(hours=5.5)  # wider than any window within which a call is matched to a visit
FIX_WITH_TAG_SHARE = 0.7  # of tags, codes and cards read by a phone


@dataclass(frozen=True, slots=True)
class Recorded:
    """One check-in or check-out as sent.

    `occurred_at` is what the sender's clock said, `true_at` when it was; `send_at` is true time too.
    """

    event_id: str
    kind: str
    occurred_at: datetime
    true_at: datetime
    care_worker_ref: str
    reason_code: str | None
    send_at: datetime
    batch: str | None  # what is sent together has the same mark
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Phone:
    """A worker's phone: how wrong its clock is, and when it has no signal (None: always)."""

    ref: str
    skew: timedelta
    no_signal: tuple[datetime, datetime] | None


class Recorder:
    """Turns the stays of one borough's day into what is sent."""

    def __init__(self, borough: Borough, rates: Rates, stays: list[Stay]) -> None:
        self._borough = borough
        self._rates = rates
        self._people = {person.ref: person for person in borough.service_users}
        self._workers = {worker.ref: worker for worker in borough.care_workers}
        self._visits: dict[str, list[PlannedVisit]] = {}
        for visit in borough.visits:
            self._visits.setdefault(visit.service_user_ref, []).append(visit)
        self._phones = {ref: self._phone(ref, own) for ref, own in _by_worker(stays).items()}

    def record(self, stay: Stay) -> Iterator[Recorded]:
        """The events of one stay, in order; a double tap is an event of its own."""
        name = stay.visit.ref if stay.visit else stay.service_user_ref
        rng = Random(f"record:{self._borough.seed}:{self._borough.day}:{name}:{stay.care_worker_ref}")
        person, worker = self._people[stay.service_user_ref], self._workers[stay.care_worker_ref]
        method = self._method(rng, stay, person)
        stop = self._stop(rng, person)
        yield from self._ends(rng, stay, "check_in", stay.arrived_at, method, person, worker, stop)
        if stay.frustrated_reason is None and rng.random() < self._rates.forgot_check_out:
            return
        yield from self._ends(rng, stay, "check_out", stay.left_at, method, person, worker, stop)

    def _phone(self, worker_ref: str, stays: list[Stay]) -> Phone:
        rng = Random(f"phone:{self._borough.seed}:{self._borough.day}:{worker_ref}")
        rates = self._rates
        skew = timedelta()
        if rng.random() < rates.skewed_workers:
            skew = timedelta(seconds=rng.choice((-1, 1)) * round(60 * rng.uniform(*rates.skew_minutes)))
        no_signal = None
        if rng.random() < rates.offline_workers:
            first, last = min(stay.arrived_at for stay in stays), max(stay.left_at for stay in stays)
            began = first + (last - first) * rng.uniform(-0.1, 0.6)
            ended = began + timedelta(hours=rng.uniform(*rates.offline_hours))
            no_signal = began, min(ended, local_instant(self._borough.day, HOME_BY_MINUTE))
        return Phone(f"phone-{worker_ref}", skew, no_signal)

    def _method(self, rng: Random, stay: Stay, person: ServiceUser) -> str:
        method = drawn(rng, METHODS)
        if method == "landline" and person.phone is None:
            return "app"
        # Only the app names the visit. Where a call could be meant for two visits, nobody can tell
        # which, so there is nothing to compare.
        return method if self._plainly_meant(stay) else "app"

    def _plainly_meant(self, stay: Stay) -> bool:
        near = [
            visit
            for visit in self._visits.get(stay.service_user_ref, ())
            if abs(visit.start - stay.arrived_at) < NEAR
        ]
        return near == ([stay.visit] if stay.visit else [])

    def _stop(self, rng: Random, person: ServiceUser) -> Stop:
        place = person.home
        if person.other_places and rng.random() < self._rates.second_place:
            place = rng.choice(person.other_places)
        lat, lon = place.lat, place.lon
        if rng.random() < self._rates.wrong_home:
            lat, lon = moved(lat, lon, rng.choice((-1, 1)) * rng.uniform(400, 2_000), rng.uniform(-500, 500))
        return Stop(rng, lat, lon)

    def _ends(
        self,
        rng: Random,
        stay: Stay,
        kind: str,
        at: datetime,
        method: str,
        person: ServiceUser,
        worker: CareWorker,
        stop: Stop,
    ) -> Iterator[Recorded]:
        yield self._one(rng, stay, kind, at, method, person, worker, stop)
        if rng.random() < self._rates.double_tap:
            again = at + timedelta(seconds=rng.randint(2, 25))
            yield self._one(rng, stay, kind, again, method, person, worker, stop)

    def _one(
        self,
        rng: Random,
        stay: Stay,
        kind: str,
        at: datetime,
        method: str,
        person: ServiceUser,
        worker: CareWorker,
        stop: Stop,
    ) -> Recorded:
        body: dict[str, Any] = {"kind": kind, "method": method, "care_worker": worker.ref}
        if method == "landline":
            send_at, occurred_at, batch = at, at, None
            if rng.random() < self._rates.strange_caller and worker.phone:
                body |= {"cli": worker.phone, "service_user": person.ref}
            else:
                body["cli"] = person.phone
        else:
            phone = self._phones[worker.ref]
            occurred_at = at + phone.skew
            send_at, batch = _sending(rng, phone, at)
            body["service_user"] = person.ref
            if method == "app" and stay.visit:
                body["visit"] = stay.visit.ref
            if rng.random() < (1 - self._rates.no_fix if method == "app" else FIX_WITH_TAG_SHARE):
                body["fix"] = _fix(stop, occurred_at)
            body["device"] = _device(phone, at, send_at)
        if kind == "check_out" and stay.frustrated_reason:
            body["reason_code"] = stay.frustrated_reason
        event_id = made_id(rng, send_at)
        body |= {"id": event_id, "occurred_at": stamp(occurred_at)}
        return Recorded(
            event_id, kind, occurred_at, at, worker.ref, body.get("reason_code"), send_at, batch, body
        )


def _by_worker(stays: list[Stay]) -> dict[str, list[Stay]]:
    found: dict[str, list[Stay]] = {}
    for stay in stays:
        found.setdefault(stay.care_worker_ref, []).append(stay)
    return found


def _sending(rng: Random, phone: Phone, at: datetime) -> tuple[datetime, str | None]:
    if phone.no_signal and phone.no_signal[0] <= at < phone.no_signal[1]:
        return phone.no_signal[1], f"{phone.ref} at {phone.no_signal[1]:%H:%M:%S}"
    slow = rng.random() < SLOW_SEND_SHARE
    return at + timedelta(seconds=rng.uniform(20, 90) if slow else rng.uniform(0.3, 4)), None


def _fix(stop: Stop, fixed_at: datetime) -> dict[str, Any]:
    fix = stop.fix()
    return {"lat": fix.lat, "lon": fix.lon, "accuracy_m": fix.accuracy_m, "fixed_at": stamp(fixed_at)}


def _device(phone: Phone, at: datetime, send_at: datetime) -> dict[str, Any]:
    """The phone's own word at the moment of sending; it was switched on at midnight."""
    last_contact_at = phone.no_signal[0] if phone.no_signal and send_at == phone.no_signal[1] else at
    midnight = send_at.replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "id": phone.ref,
        "app_version": APP_VERSION,
        "wall_clock": stamp(send_at + phone.skew),
        "monotonic_ms": round((send_at - midnight).total_seconds() * 1000),
        "last_contact_at": stamp(last_contact_at + phone.skew),
    }


def said_later(body: dict[str, Any], later: timedelta) -> dict[str, Any]:
    """The body as its phone would send it some time after the first try: only the clocks have moved on.

    What tells of the sending and not of the visit is no part of what makes two bodies the same.
    """
    device = body.get("device")
    if device is None or later <= timedelta(0):
        return body
    moved_on = {
        "wall_clock": stamp(datetime.fromisoformat(device["wall_clock"]) + later),
        "monotonic_ms": device["monotonic_ms"] + round(later.total_seconds() * 1000),
    }
    return body | {"device": device | moved_on}


def made_id(rng: Random, at: datetime) -> str:
    """A UUIDv7 of the instant and the generator, so that the same seed sends the same ids again."""
    milliseconds = round(at.timestamp() * 1000)
    bits = milliseconds << 80 | 0x7 << 76 | rng.getrandbits(12) << 64 | 0b10 << 62 | rng.getrandbits(62)
    return str(UUID(int=bits))


def stamp(instant: datetime) -> str:
    """RFC 3339, UTC, to the millisecond."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
