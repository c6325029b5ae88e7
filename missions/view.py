"""How a demand wants to be looked at, where straight down from above will not do. Values only."""

from dataclasses import dataclass
from enum import StrEnum

STRAIGHT_DOWN_DEG = -90.0


class Side(StrEnum):
    """From where a line is looked at, seen in the direction its places are given."""

    OVER = "over"
    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class View:
    """How to look.

    `stand_off_m` is how far beside its target the drone stays, over the ground: beside a point (on the
    side that `heading_deg` leaves open), or beside a line on its `side`. `pitch_deg` is the gimbal's, 0
    level and -90 straight down; `heading_deg` the true bearing the camera looks along, None for any.
    `dwell_s` is how long the drone hovers there. `reach_m`, where given, is how far the sensor looks: an
    area is then covered from viewpoints, turning about at each, and not mown.

    With `wire_m` a line's places are its towers, and heights are above the wire: it hangs so high over
    the ground at each tower, `sag_m` lower in the middle between two.
    """

    stand_off_m: float = 0.0
    pitch_deg: float = STRAIGHT_DOWN_DEG
    heading_deg: float | None = None
    dwell_s: float = 0.0
    side: Side = Side.OVER
    wire_m: float | None = None
    sag_m: float = 0.0
    reach_m: float | None = None

    @property
    def is_oblique(self) -> bool:
        """Whether it asks for more than looking straight down in passing."""
        return self != View(wire_m=self.wire_m, sag_m=self.sag_m)


PLAIN = View()
