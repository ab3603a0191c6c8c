"""What a care worker's phone said that somebody must hear, and how urgent it is. Pure.

    kind      urgency    severity                              over when
    --------  ---------  ------------------------------------  -----------------------------------------------
    sos       –          critical                              never by itself: a person answers it
    no_reply  –          warning; critical for tier A and for  care was given after all: they left later than
                         a visit that cannot wait              that, and not after a short visit
    concern   now        critical                              never by itself
    hazard    today      warning
              routine    information

Its words stay with the report: a notification says what happened, never what was written about somebody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

SOS, NO_REPLY, CONCERN, HAZARD = "sos", "no_reply", "concern", "hazard"
KINDS = (SOS, NO_REPLY, CONCERN, HAZARD)

WORDS: Mapping[str, str] = {
    SOS: "care worker asks for help",
    NO_REPLY: "nobody answers the door",
    CONCERN: "concern reported",
    HAZARD: "hazard reported",
}
BY_URGENCY: Mapping[str | None, tuple[str, str]] = {
    "now": ("critical", "needs an answer now"),
    "today": ("warning", "needs an answer today"),
    "routine": ("information", "for when there is time"),
    None: ("warning", "urgency not said"),
}


@dataclass(frozen=True, slots=True)
class Report:
    kind: str
    occurred_at: datetime
    urgency: str | None = None
    care_worker: str | None = None

    def severity(self, *, cannot_wait: bool) -> str:
        """`cannot_wait`: the person is of tier A, or the visit's time is critical."""
        if self.kind == SOS:
            return "critical"
        if self.kind == NO_REPLY:
            return "critical" if cannot_wait else "warning"
        return BY_URGENCY[self.urgency][0]

    @property
    def words(self) -> str:
        if self.kind in (CONCERN, HAZARD):
            return f"{WORDS[self.kind]}, {BY_URGENCY[self.urgency][1]}"
        if self.kind == SOS and self.care_worker:  # the visit beside it may be another's, where none was near
            return f"care worker {self.care_worker} asks for help"
        return WORDS[self.kind]
