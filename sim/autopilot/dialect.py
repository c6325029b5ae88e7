"""The one place of the simulator that imports pymavlink, and what a machine answers with."""

import math
from dataclasses import dataclass
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

AUTOPILOT = 1  # component ids
RGB_CAMERA = 100
THERMAL_CAMERA = 101

Message = Any  # a pymavlink message; its classes are generated and untyped

__all__ = [
    "AUTOPILOT",
    "RGB_CAMERA",
    "THERMAL_CAMERA",
    "Forwarded",
    "Message",
    "Outgoing",
    "Signing",
    "Text",
    "mav",
    "tamed",
    "whole",
]


_MOST = 1e9  # beyond every angle, height, time and number that means something
_AS_BYTES = "PARAM_SET"  # its float may be an integer's bytes


def tamed(message: Message) -> Message:
    """Return a message whose floats are numbers one can calculate with, or NaN.

    Infinite is as little known as NaN, and no drone is a thousand million metres
    away: such values are cut here once, so that nobody behind has to fear them.
    """
    if message.get_type() == _AS_BYTES:
        return message
    for name, form in zip(message.fieldnames, message.fieldtypes, strict=True):
        if form == "float":
            value = getattr(message, name)
            if isinstance(value, float) and not -_MOST <= value <= _MOST:
                setattr(message, name, math.copysign(_MOST, value) if math.isfinite(value) else math.nan)
    return message


def whole(value: float) -> int:
    """Return the whole number a float stands for; NaN is 0."""
    return round(value) if math.isfinite(value) else 0


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
class Signing:
    """The key a vehicle signs with and the time stamp its signatures begin at."""

    key: bytes
    timestamp: int  # 10 microseconds since 2015


@dataclass(frozen=True, slots=True)
class Text:
    """A STATUSTEXT to be."""

    severity: int
    text: str

    def message(self) -> Message:
        """Return the wire form; the wire holds 50 bytes."""
        return mav.MAVLink_statustext_message(self.severity, self.text.encode()[:50])
