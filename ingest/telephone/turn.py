"""What goes into an interview and what comes out of it: states, inputs, what is kept, and the turns of a door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["check_in", "check_out"]

LANGUAGES = ("en", "cy", "pl", "ro")
LANGUAGE_OF_DIGIT = {"1": "en", "2": "cy", "3": "pl", "4": "ro"}
OTHER_DIGIT = "9"
TASKS_MAX = 9
ANSWER_SECONDS = 8


class State(StrEnum):
    WELCOME = "welcome"
    STAFF = "staff"
    FINDING_STAFF = "finding_staff"
    PIN = "pin"
    CHECKING_PIN = "checking_pin"
    WAY = "way"
    PERSON = "person"
    CARD = "card"
    FINDING_CARD = "finding_card"
    CODE = "code"
    RECORDING = "recording"
    RINGING_BACK = "ringing_back"
    WAITING = "waiting"
    ANSWERED = "answered"
    TASKS = "tasks"
    KEEPING_TASKS = "keeping_tasks"
    OVER = "over"


class Input(StrEnum):
    """What can come in. The first rows are heard, the others are told by the conductor."""

    HUNG_UP = "hung_up"
    HELP = "help"
    SILENCE = "silence"
    WRONG = "wrong"
    ENOUGH = "enough"  # help, silence or wrong digits for the third time
    LANGUAGE = "language"
    NUMBER = "number"
    PIN = "pin"
    STAND_IN = "stand_in"  # "I am not expected here"
    CHECK_IN = "check_in"
    CHECK_OUT = "check_out"
    CHOICE = "choice"
    OTHER = "other"
    CODE = "code"
    TASKS = "tasks"

    STAFF_KNOWN = "staff_known"
    STAFF_UNKNOWN = "staff_unknown"
    PIN_FITS = "pin_fits"
    PIN_WRONG = "pin_wrong"
    PIN_UNCLEAR = "pin_unclear"  # two people who are expected here, or have that number, have it
    TOO_MANY_HERE = "too_many_here"  # wrong PINs from this telephone: say first who you are
    TOO_MANY = "too_many"
    CARD_KNOWN = "card_known"
    CARD_UNKNOWN = "card_unknown"
    RINGING = "ringing"
    NOT_RINGING = "not_ringing"
    RECORDED = "recorded"
    NOT_RECORDED = "not_recorded"
    TASKS_KEPT = "tasks_kept"


class Caller(StrEnum):
    """Whose telephone it is, by the number that rang."""

    HOME = "home"
    MOBILE = "mobile"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a door heard: digits, nothing (""), or that they hung up (None)."""

    digits: str | None = ""


HUNG_UP = Heard(None)


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the visit may be with. `said`: title and initial, because whoever holds the phone hears it. `planned`:
    local "09:00". `inside`: this worker is there now. `tasks`: how many the plan lists."""

    ref: str
    said: str
    planned: str | None = None
    inside: bool = False
    card: bool = False
    tasks: int = 0


@dataclass(frozen=True, slots=True)
class Interview:
    """Where one phone call stands. Never holds a PIN. Times are ISO 8601 with the local offset."""

    state: State
    language: str = "en"
    caller: Caller = Caller.UNKNOWN
    expecting: bool = False  # somebody is due at this number, so a PIN alone says who
    rings_back: bool = False  # this line rings homes back, and can
    asked: int = 0
    staff: tuple[str, ...] = ()  # who it may be: by their own mobile, or
    named: bool = False  # by the number they gave; of a text, by their PIN
    worker: str | None = None
    people: tuple[Person, ...] = ()
    only: Kind | None = None  # what hanging up after the PIN can only mean
    kind: Kind | None = None
    at: str | None = None
    person: Person | None = None
    code: str | None = None  # what the home's card showed
    spoken: str | None = None  # the code told for ringing back
    answers_for: str | None = None  # the phone call this one answers, when we rang
    rung: bool = False  # the home was rung back
    called_back: bool = False  # and answered with the code
    inferred: bool = False  # in was never keyed, and could only be meant
    rang_own: bool = False  # an unanswered ring of the worker's own number
    done_tasks: str = ""

    @property
    def local_time(self) -> str:
        """09:02"""
        return datetime.fromisoformat(self.at).strftime("%H:%M") if self.at else ""

    @property
    def owes_a_record(self) -> bool:
        """In or out was chosen, and is not known to be recorded."""
        return self.kind is not None and self.state not in (State.TASKS, State.KEEPING_TASKS, State.OVER)


@dataclass(frozen=True, slots=True)
class Say:
    """One prompt. `values`: what stands in its braces: `person` "Mrs A", `time` "09:02", else digits. `language`: when
    it is not the interview's."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Gather:
    max_digits: int
    finish_key: str = "#"
    timeout_s: int = ANSWER_SECONDS


# ---------------------------------------------------------------- what the conductor is asked for


@dataclass(frozen=True, slots=True)
class FindStaff:
    number: str


@dataclass(frozen=True, slots=True, repr=False)
class CheckPin:
    """Not to be written down anywhere, so it does not even show itself."""

    pin: str

    def __repr__(self) -> str:
        return "CheckPin()"


@dataclass(frozen=True, slots=True)
class FindCard:
    number: str


@dataclass(frozen=True, slots=True)
class RingBack:
    pass


@dataclass(frozen=True, slots=True)
class Record:
    pass


@dataclass(frozen=True, slots=True)
class KeepTasks:
    pass


Want: TypeAlias = FindStaff | CheckPin | FindCard | RingBack | Record | KeepTasks


@dataclass(frozen=True, slots=True)
class Learned:
    """What the conductor found. `input` is one of those told, and says which of the others count."""

    input: Input
    staff: tuple[str, ...] = ()
    worker: str | None = None
    people: tuple[Person, ...] = ()
    only: Kind | None = None
    person: Person | None = None
    spoken: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What a door does next: say, then listen (`gather`), or hang up, or not even answer (`reject`).

    `wants`: what must be looked up first; a door never sees any. `step`: with what the next thing heard is to be
    handed in; the conductor counts it.
    """

    interview: Interview
    says: tuple[Say, ...] = ()
    gather: Gather | None = None
    wants: tuple[Want, ...] = ()
    hang_up: bool = False
    reject: bool = False
    step: int = 0
