"""Guessing is slow; nobody is locked out."""

from __future__ import annotations

import pytest

from ecm import throttle
from ecm.errors import TooMany
from ecm.throttle import FORGET_AFTER_S, Allowance, Throttle

GUESSER, DESK = "192.0.2.66", "192.0.2.7"
DANA = "dana@example.org"


def wait_s(door: Throttle, email: str, address: str, now_s: float) -> int:
    try:
        door.admit(email, address, now_s)
    except TooMany as error:
        return error.retry_after_seconds or 0
    return 0


def test_each_failure_after_the_fifth_doubles_the_wait_up_to_a_minute() -> None:
    door, waits = Throttle(), []
    for _ in range(14):
        waits.append(wait_s(door, DANA, GUESSER, 0))
        door.failed(DANA, GUESSER, 0)
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_day_of_guessing_at_one_account_is_some_fourteen_hundred_tries() -> None:
    door, now_s, tries = Throttle(), 0.0, 0
    while now_s < 86_400:
        if left := wait_s(door, DANA, GUESSER, now_s):
            now_s += left
            continue
        door.failed(DANA, GUESSER, now_s)
        tries += 1
    assert 1_400 < tries < 1_500


def test_what_nobody_could_look_at_leaves_the_counts_as_they_were() -> None:
    door = Throttle()
    for _ in range(5):
        door.failed(DANA, GUESSER, 0)
    for _ in range(50):
        door.failed(DANA, GUESSER, 0)
        door.withdraw(DANA, GUESSER)
    assert wait_s(door, DANA, GUESSER, 0) == 1
    door.failed(DANA, DESK, 0)
    door.withdraw(DANA, DESK)
    assert (DANA, DESK) not in door._counts


def test_the_guesser_slows_himself_and_not_dana_at_her_desk() -> None:
    door = Throttle()
    for _ in range(50):
        door.failed(DANA, GUESSER, 0)
    assert wait_s(door, DANA, GUESSER, 0) == 60
    assert wait_s(door, DANA, DESK, 0) == 0


def test_an_office_that_shares_the_guessers_address_waits_seconds_at_the_most() -> None:
    door = Throttle()
    for n in range(5_000):
        door.failed(f"somebody-{n}@example.org", DESK, 0)
    assert 0 < wait_s(door, DANA, DESK, 0) <= 3
    assert wait_s(door, DANA, DESK, 3) == 0


def test_an_office_that_signs_in_rightly_is_never_slowed() -> None:
    door = Throttle()
    for n in range(1_000):
        email = f"somebody-{n}@example.org"
        assert wait_s(door, email, DESK, 0) == 0
        door.failed(email, DESK, 0)
        door.succeeded(email, DESK)


def test_a_guesser_in_the_office_holds_up_nobody_who_has_not_failed_there() -> None:
    door = Throttle()
    for n in range(5_000):
        door.failed(f"somebody-{n % 90}@example.org", DESK, 0)
    assert wait_s(door, "somebody-1@example.org", DESK, 0) == 60
    assert wait_s(door, DANA, DESK, 0) == 0


def test_who_signed_in_from_there_waits_for_nobody_elses_failures_whatever_is_tried() -> None:
    door = Throttle()
    door.failed(DANA, DESK, 0)
    door.succeeded(DANA, DESK)
    for n in range(5_000):
        door.failed(f"somebody-{n}@example.org", DESK, 0)
        door.failed(f"somebody-{n}@example.org", DESK, 0)
    assert wait_s(door, DANA, DESK, 0) == 0
    door.failed(DANA, DESK, 0)  # a slip of her own
    assert wait_s(door, DANA, DESK, 0) == 0


def test_trying_one_email_after_another_is_slow() -> None:
    door, now_s, tries = Throttle(), 0.0, 0
    while now_s < 3_600:
        email = f"somebody-{tries}@example.org"
        if left := wait_s(door, email, GUESSER, now_s):
            now_s += left
            continue
        door.failed(email, GUESSER, now_s)
        tries += 1
    assert tries < 1_400


def test_a_success_forgets_the_failures_before_it() -> None:
    door = Throttle()
    for _ in range(5):
        door.failed(DANA, DESK, 0)
    assert wait_s(door, DANA, DESK, 0) == 1
    door.succeeded(DANA, DESK)
    assert wait_s(door, DANA, DESK, 0) == 0
    door.failed(DANA, DESK, 0)
    assert wait_s(door, DANA, DESK, 0) == 0


def test_a_quiet_quarter_of_an_hour_forgets() -> None:
    door = Throttle()
    for _ in range(9):
        door.failed(DANA, DESK, 0)
    assert wait_s(door, DANA, DESK, 0) == 16
    door.failed(DANA, DESK, FORGET_AFTER_S)
    assert wait_s(door, DANA, DESK, FORGET_AFTER_S) == 0


def test_memory_is_bounded_however_many_emails_are_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "REMEMBERED_AT_MOST", 100)
    door = Throttle()
    for n in range(1_000):
        door.failed(f"somebody-{n}@example.org", f"192.0.2.{n % 250}", n)
    assert len(door._counts) == 100


def test_an_address_begins_many_at_once_and_then_so_many_a_second() -> None:
    allowance = Allowance(at_once=3, per_s=2)
    for _ in range(3):
        allowance.take("192.0.2.1", 100.0)
    with pytest.raises(TooMany) as refused:
        allowance.take("192.0.2.1", 100.0)
    assert refused.value.retry_after_seconds == 1
    allowance.take("192.0.2.2", 100.0)  # another address waits for nobody
    allowance.take("192.0.2.1", 100.5)
    with pytest.raises(TooMany):
        allowance.take("192.0.2.1", 100.5)
    for _ in range(3):
        allowance.take("192.0.2.1", 200.0)
