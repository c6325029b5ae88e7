"""The colour camera: the painted ground, what stands on it, flames, smoke, and film grain."""

from datetime import datetime
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from sim.glow import decoy_colour, fire_colour
from sim.ground import STEP_M, Ground
from sim.projection import View
from sim.scene import (
    NOWHERE_PX,
    GroundMap,
    decoys_in_view,
    fires_in_view,
    hides,
    paint_patch,
)
from sim.sky import Sky
from sim.smoke import Smoke
from sim.structures import Structures, to_fixed
from sim.textures import Pixels, noise
from sim.world import World

Bgr = npt.NDArray[np.uint8]

SKY_BGR = (214, 196, 170)
ROOF_GRAIN = 22.0
SMOKE_BGR = (206, 208, 208)
STEEL_BGR, WIRE_BGR = (150, 152, 154), (96, 98, 100)
DETAIL_PX, DETAIL_STEP_M = 1024, 0.1
DETAIL_CONTRAST = 1 / 150
GRAIN = 3.0  # sensor noise, one standard deviation in steps of 255


class ColourCamera:
    """Renders blue, green, red bytes; holds the pattern of leaves, stalks and stones."""

    def __init__(self, world: World, ground: Ground, structures: Structures) -> None:
        self._world, self._ground, self._structures = world, ground, structures
        self._detail, self._grain = _patterns()
        self._smoke = Smoke()

    def render(self, view: View, at: datetime, *, rng: np.random.Generator) -> Bgr:
        """Return the picture."""
        sky = Sky.over(self._world.site.origin, at)
        where = GroundMap.of(view, self._world, self._ground)
        x, y = where.maps()
        self._ground.prepare(at, x[where.sparse], y[where.sparse])
        bare = cv2.remap(self._ground.colour, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        seen = np.asarray(bare, np.uint8)
        if where.has_sky:
            seen[x < NOWHERE_PX / 2] = [*(c * sky.daylight for c in SKY_BGR), 0]
        for face in self._structures.faces(view, sky):
            cv2.fillConvexPoly(seen, to_fixed(face.outline_px), (*face.colour, ROOF_GRAIN), cv2.LINE_AA, 4)
        picture = self._grained(seen, where, rng)
        self._draw_strands(picture, view, sky)
        self._draw_things(picture, view, at, sky)
        return picture

    def _grained(self, seen: Bgr, where: GroundMap, rng: np.random.Generator) -> Bgr:
        """Return the picture with the detail of the ground, where the ground has any, and sensor noise."""
        x, y = where.maps(scale=STEP_M / DETAIL_STEP_M, wrap_px=DETAIL_PX)
        detail = cv2.remap(self._detail, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        finesse = float(np.interp(where.stride * STEP_M, [0.1, 0.5], [1.0, 0.3]))
        contrast = finesse * DETAIL_CONTRAST
        depth = cv2.multiply(cv2.extractChannel(seen, 3), cv2.extractChannel(seen, 1), scale=contrast)
        swing = np.subtract(detail, 128, dtype=np.int16)
        relief = cv2.multiply(swing, depth, scale=1 / 96, dtype=cv2.CV_16S)
        height, width = relief.shape
        row, column = (int(v) for v in rng.integers(0, (2 * DETAIL_PX - height, 2 * DETAIL_PX - width)))
        relief = cv2.add(relief, self._grain[row : row + height, column : column + width])
        base = cv2.cvtColor(seen, cv2.COLOR_BGRA2BGR)
        # cvtColor repeats a channel far faster than merge, but knows unsigned numbers only.
        three = cv2.cvtColor(np.asarray(relief).view(np.uint16), cv2.COLOR_GRAY2BGR)
        return np.asarray(cv2.add(base, np.asarray(three).view(np.int16), dtype=cv2.CV_8U), np.uint8)

    def _draw_strands(self, picture: Bgr, view: View, sky: Sky) -> None:
        hung, lattice = self._structures.wires(view), self._structures.lattice(view)
        for lines, colour in ((hung, WIRE_BGR), (lattice, STEEL_BGR)):
            shade = tuple(c * sky.daylight for c in colour)
            cv2.polylines(picture, [to_fixed(s) for s in lines], False, shade, 1, cv2.LINE_AA, 4)

    def _draw_things(self, picture: Bgr, view: View, at: datetime, sky: Sky) -> None:
        for decoy, patch in decoys_in_view(view, self._world):
            if hides(decoy):
                colour, cover = decoy_colour(decoy, patch.x_m, patch.y_m)
                paint_patch(picture, patch, colour * sky.daylight, cover)
        for fire, patch in fires_in_view(view, self._world, at):
            paint_patch(picture, patch, *fire_colour(fire, patch.x_m, patch.y_m, now=at))
        burning = [f for f in self._world.fires if f.area_m2(at) > 0]
        smoke = self._smoke.cover(view, burning, self._world.site.wind, at)
        if smoke is not None:
            _veil(picture, smoke, np.array(SMOKE_BGR) * sky.daylight)


@cache
def _patterns() -> tuple[Bgr, npt.NDArray[np.int16]]:
    """Return the detail of the ground and the noise of the sensor.

    The detail is three tiles side by side each way: OpenCV's wrapping is four times slower than
    staying inside.
    """
    rng = np.random.default_rng(1280960)
    detail = 0.75 * noise(rng, DETAIL_PX, 4.0) + 0.65 * noise(rng, DETAIL_PX, 11.0)
    tile = np.clip(128 + 40 * detail, 0, 255).astype(np.uint8)
    grain = rng.normal(0.0, GRAIN, (DETAIL_PX * 2, DETAIL_PX * 2)).astype(np.int16)
    return np.tile(tile, (3, 3)), grain


def _veil(picture: Bgr, cover: Pixels, grey: npt.NDArray[np.float64]) -> None:
    """Hide the picture behind smoke where the coarse cover says so."""
    rows, columns = np.flatnonzero(cover.any(1)), np.flatnonzero(cover.any(0))
    coarse = cover[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = picture.shape[0] // cover.shape[0]
    top, left = rows[0] * scale, columns[0] * scale
    share = cv2.resize(coarse, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    here = picture[top : top + share.shape[0], left : left + share.shape[1]]
    smoke = np.full_like(here, 0)
    smoke[:] = grey
    here[:] = cv2.blendLinear(np.ascontiguousarray(here), smoke, 1 - share, share)
