"""The table of who may do what, as a council officer reads it: the doors' own table, with words for it.

Nothing is decided here. Each cell is `ecm.permit`'s, and what is said of it follows from its word.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecm.permit import KEY_SCOPES, PHONE, ROLES, STEP_UP, Action, word_of
from ecm.web.pages import ROLE_WORDS

# action: what it is called in the table, in a sentence after "may", and why it is as it is
WORDS: dict[Action, tuple[str, str, str]] = {
    Action.RECORD_CHECK_EVENT: (
        "Record check-ins",
        "record check-ins",
        "Whoever gives care, or answers for it.",
    ),
    Action.IMPORT_DATA: ("Import plans and people", "import data", "Wrong plans would hide a missed visit."),
    Action.READ_VISITS: ("See visits", "see visits", "Most work begins with a visit."),
    Action.READ_FULL_ADDRESS: (
        "See full addresses",
        "see full addresses",
        "Only those who must find a door.",
    ),
    Action.AMEND_VISIT: (
        "Amend a visit",
        "amend visits",
        "Whoever looks after the visit answers for it by name.",
    ),
    Action.ACKNOWLEDGE_ALERT: ("Take on an alarm", "take on alarms", "Only somebody who will see to it."),
    Action.READ_BOARD: ("See the live board", "see the board", "Money is not decided on a live board."),
    Action.READ_UNMATCHED: (
        "See check-ins that fit nowhere",
        "see exceptions",
        "They say where people were.",
    ),
    Action.READ_ACTUALS: ("See actuals", "see actuals", "What care cost is for those who answer for money."),
    Action.RUN_PAYMENT: ("Run a payment", "run payments", "Two people approve: who runs one cannot lock it."),
    Action.LOCK_PERIOD: ("Lock a period", "lock periods", "Two people approve: who ran it cannot lock it."),
    Action.READ_QUALITY: ("See quality figures", "see quality figures", "They are about people at work."),
    Action.READ_QUARANTINE: (
        "See what could not be read",
        "see the quarantine",
        "It may hold anything at all.",
    ),
    Action.READ_AUDIT: ("Read the audit", "read the audit", "It says what everybody did."),
    Action.MANAGE_ACCOUNTS: (
        "Manage people",
        "manage accounts",
        "Who lets people in moves no visit and no money.",
    ),
    Action.MANAGE_KEYS: ("Manage keys of systems", "manage keys", "A key is a way in without a person."),
    Action.MANAGE_PHONES: (
        "Manage phones",
        "manage phones",
        "A provider enrols its own phones, and cuts them off.",
    ),
    Action.MANAGE_TAGS: ("Manage tags", "manage tags", "Tags stand in the homes a provider cares for."),
    Action.SET_KEY_SAFE: ("Set a key-safe code", "set key-safe codes", "Who sets one is not shown it again."),
    Action.READ_KEY_SAFE: (
        "Be told a key-safe code",
        "be told key-safe codes",
        "Only the phone of the care worker who is due is told, around the visit, and it is written down.",
    ),
    Action.READ_OWN_DATA: (
        "See what is held about oneself",
        "see what is held about them",
        "It is their own.",
    ),
    Action.MANAGE_LEAVERS: (
        "Say that somebody has left",
        "say who has left",
        "It has to be done the same hour.",
    ),
    Action.MANAGE_SIGN_IN: (
        "Change how people sign in",
        "change how people sign in",
        "It concerns everybody.",
    ),
    Action.ERASE_PERSONAL: ("Erase somebody’s words", "erase personal data", "It cannot be undone."),
    Action.VERIFY_AUDIT: ("Verify the audit", "verify the audit", "Whoever reads it may ask if it is whole."),
}

SCOPE_WORDS = {"ingest": "Key: check-ins", "read": "Key: read", "import": "Key: import"}

# word of the table: what a cell shows, its tone, and the sentence about it
CELLS = {
    "all": ("All", "good", "{who} may {what}, over the whole authority."),
    "own": ("Own provider", "information", "{who} may {what} for their own provider only."),
    "mine": ("Own visits", "information", "{who} may {what} for their own visits only."),
    "-": ("–", "none", "{who} may not {what}."),
}
OWN_DATA = ("Own", "information", "{who} may {what}, and nobody else.")
NEW_PROOF = " They must prove again that it is they, at most {minutes} minutes before."


@dataclass(frozen=True, slots=True)
class Cell:
    column: str
    words: str
    tone: str
    why: str


@dataclass(frozen=True, slots=True)
class Line:
    title: str
    cells: list[Cell]


def line_of(action: Action) -> Line:
    title, _, _ = words_of(action)
    return Line(title, [_cell(action, column, who) for column, who in COLUMNS.items()])


def words_of(action: Action) -> tuple[str, str, str]:
    """An action that has no words yet still stands in the table, by its name."""
    plain = action.replace("_", " ")
    return WORDS.get(action, (plain.capitalize(), plain, ""))


def _cell(action: Action, column: str, who: str) -> Cell:
    _, what, because = words_of(action)
    word = word_of(action, column)
    words, tone, sentence = OWN_DATA if action is Action.READ_OWN_DATA and word != "-" else CELLS[word]
    why = sentence.format(who=who, what=what)
    if word != "-" and action in STEP_UP:
        why += NEW_PROOF.format(minutes=int(STEP_UP[action].total_seconds() // 60))
    return Cell(column, words, tone, f"{why} {because}")


COLUMNS = (
    {role: ROLE_WORDS[role] for role in ROLES}
    | {scope: SCOPE_WORDS[scope] for scope in KEY_SCOPES}
    | {PHONE: "Care worker’s phone"}
)
LINES = [line_of(action) for action in Action]
