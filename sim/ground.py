"""The ground as seen and as felt from above: colour and temperature at half a metre.

The ground is painted in squares of 128 m when a picture first needs them, and
again when the sun has moved on by half an hour. What a square shows is in
`painter.py`; here is only where it is kept.
"""

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from missions.geo import Floats
from sim.painter import Painter
from sim.sky import Sky
from sim.textures import Pixels
from sim.world import World

STEP_M = 0.5
SQUARE_PX = 256
SUN_STANDS_S = 1800.0


class Ground:
    """The painted ground of one world, kept by one process."""

    def __init__(self, world: World) -> None:
        relief = world.relief
        self.west_m, self.north_m = relief.west_m, relief.north_end_m
        squares_across = int((relief.east_end_m - relief.west_m) / STEP_M) // SQUARE_PX
        squares_down = int((relief.north_end_m - relief.south_m) / STEP_M) // SQUARE_PX
        height, width = squares_down * SQUARE_PX, squares_across * SQUARE_PX
        # Zeroed memory costs nothing until a square is painted into it.
        self.colour: npt.NDArray[np.uint8] = np.zeros((height, width, 4), np.uint8)
        self.centi_c: npt.NDArray[np.int16] = np.zeros((height, width), np.int16)
        self._painted = np.zeros((squares_down, squares_across), bool)
        self._painter = Painter(world, step_m=STEP_M)
        self._world = world
        self._period: int | None = None
        self.sky = Sky.over(world.site.origin, world.epoch_at)

    def prepare(self, at: datetime, x_px: Pixels, y_px: Pixels) -> None:
        """Paint whatever the given ground pixels need that is not painted for this hour."""
        self._turn_to(at)
        down, across = self._painted.shape
        columns = np.clip(x_px // SQUARE_PX, 0, across - 1).astype(np.intp)
        rows = np.clip(y_px // SQUARE_PX, 0, down - 1).astype(np.intp)
        needed = np.bincount((rows * across + columns)[x_px > -SQUARE_PX], minlength=down * across)
        for square in np.flatnonzero(needed).tolist():
            row, column = divmod(square, across)
            if not self._painted[row, column]:
                self._paint(row, column)

    def to_pixels(self, east_m: Floats, north_m: Floats) -> tuple[Floats, Floats]:
        """Return x and y of local points in the painted ground; a pixel's centre is a whole number."""
        return (east_m - self.west_m) / STEP_M - 0.5, (self.north_m - north_m) / STEP_M - 0.5

    def _paint(self, row: int, column: int) -> None:
        top, left = row * SQUARE_PX, column * SQUARE_PX
        colour, temp_c = self._painter.paint(top, left, (SQUARE_PX, SQUARE_PX))
        here = np.s_[top : top + SQUARE_PX, left : left + SQUARE_PX]
        self.colour[here] = colour
        self.centi_c[here] = np.round(temp_c * 100.0)
        self._painted[row, column] = True

    def _turn_to(self, at: datetime) -> None:
        """Let the sun stand where it stands in the middle of this half hour."""
        period = int((at - self._world.epoch_at).total_seconds() // SUN_STANDS_S)
        if period == self._period:
            return
        middle = self._world.epoch_at + timedelta(seconds=(period + 0.5) * SUN_STANDS_S)
        self.sky = Sky.over(self._world.site.origin, middle)
        self._painter.light(self.sky)
        self._painted[:] = False
        self._period = period
