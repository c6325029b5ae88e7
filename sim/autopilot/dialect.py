"""The one place of the simulator that imports pymavlink, and what a machine answers with."""

from dataclasses import dataclass
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

AUTOPILOT = 1  # component ids
RGB_CAMERA = 100
THERMAL_CAMERA = 101

Message = Any  # a pymavlink message; its classes are generated and untyped

__all__ = ["AUTOPILOT", "RGB_CAMERA", "THERMAL_CAMERA", "Forwarded", "Message", "Outgoing", "Text", "mav"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send: on one link, or on all of them when `link` is None."""

    message: Message
    link: int | None = None
    component: int = AUTOPILOT


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Another sender's bytes, passed on to every link but the one they came from."""

    data: bytes
    came_from: int


@dataclass(frozen=True, slots=True)
class Text:
    """A STATUSTEXT to be."""

    severity: int
    text: str

    def message(self) -> Message:
        """Return the wire form; the wire holds 50 bytes."""
        return mav.MAVLink_statustext_message(self.severity, self.text.encode()[:50])
