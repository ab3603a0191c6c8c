"""What a channel is given to send, and what it may answer.

A message leaves our hands, so it names nobody: a visit's reference, what became of it, and a link behind which
whoever may see more signs in. The visit beside a call for help may be anybody's, so there the care worker's reference
leads, in the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from alerts.said import SOS
from ecm.settings import Settings


class NotDelivered(Exception):
    """The message was not taken this time; trying again may help."""


class Undeliverable(NotDelivered):
    """The message was refused as it is addressed: trying again hardly helps, somebody has to look at it."""


class Letter(Protocol):
    """Whatever a channel can carry."""

    @property
    def id(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    def as_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Message:
    """An alarm. `id` is the same each time one and the same ringing is sent, so that a receiver can drop the second;
    an alert that comes back is another."""

    id: str
    address: str
    about: str  # raised | stood_down
    visit_ref: str
    kind: str
    severity: str
    reason: str
    raised_at: datetime
    raised_hh_mm: str
    link: str | None

    @property
    def subject(self) -> str:
        how = "Over" if self.about == "stood_down" else self.severity.upper()
        what = self.kind.replace("_", " ")
        return f"{how}: {what}" if self.kind == SOS else f"{how}: {what}, visit {self.visit_ref}"

    @property
    def text(self) -> str:
        lines = [self.subject, self.reason, f"Raised {self.raised_hh_mm}."]
        return "\n".join([line for line in lines if line] + ([self.link] if self.link else [])) + "\n"

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "about": self.about,
            "visit": self.visit_ref,
            "kind": self.kind,
            "severity": self.severity,
            "reason": self.reason,
            "raised_at": self.raised_at.isoformat().replace("+00:00", "Z"),
            "link": self.link,
        }


class Channel(Protocol):
    """One way to reach people. A new one is a copy of a sibling file and a line in the registry."""

    def __init__(self, settings: Settings) -> None: ...

    async def send(self, message: Letter) -> None:
        """Returns once it was taken. Raises NotDelivered."""
