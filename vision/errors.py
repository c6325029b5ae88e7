"""What cannot be read as a picture, in words for the person who gave it."""

from dataclasses import dataclass

from missions.errors import GridpatrolError


class VisionError(GridpatrolError):
    """Base of this package's errors."""


@dataclass
class Unreadable(VisionError):
    """A file that is no picture, or only part of one; `reason` is a plain sentence without the name."""

    reason: str

    def __str__(self) -> str:
        return self.reason
