"""What a dock says and can be told, whatever it speaks."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

FRESH_S = 60.0  # a dock tells its state every ten seconds


class DockAction(StrEnum):
    """What a dock can be told to do."""

    OPEN = "open"
    CLOSE = "close"
    CHARGE = "charge"
    STOP_CHARGE = "stop_charge"


@dataclass(frozen=True, slots=True)
class DockState:
    """A dock as it last described itself; `heard_s` is of the steady clock."""

    dock: str
    door: str  # closed, opening, open, closing, stuck
    charger: str  # on, off
    drones_in: tuple[str, ...] | None  # None where it does not say
    wind_m_s: float | None
    rain_mm_h: float | None
    heard_s: float


class DockClient(Protocol):
    """A way to docks."""

    async def run(self) -> None:
        """Listen to the docks until cancelled; the gateway runs this."""
        ...

    def state(self, dock: str) -> DockState | None:
        """Return what a dock last said of itself."""
        ...

    async def tell(self, dock: str, action: DockAction, drone: str | None = None) -> None:
        """Tell a dock to do something and wait for its answer.

        Raises:
            DockFailed: the dock refused, or never answered.
        """
        ...
