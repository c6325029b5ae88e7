"""The colour camera: the painted ground, what stands on it, flames, smoke, and film grain."""

from datetime import datetime

import cv2
import numpy as np
import numpy.typing as npt

from missions.geo import Floats
from sim.glow import decoy_colour, fire_colour
from sim.ground import STEP_M, Ground
from sim.projection import View
from sim.scene import (
    decoy_patch,
    decoys_in_view,
    fire_patch,
    fires_in_view,
    ground_maps,
    hides,
    paint_patch,
)
from sim.sky import Sky
from sim.smoke import Smoke
from sim.structures import faces, strands
from sim.textures import noise
from sim.world import World

Bgr = npt.NDArray[np.uint8]

SKY_BGR = (214, 196, 170)
SMOKE_BGR = (206, 208, 208)
STEEL_BGR, WIRE_BGR = (150, 152, 154), (96, 98, 100)
DETAIL_PX, DETAIL_STEP_M = 1024, 0.1
GRAIN = 3.0  # sensor noise, one standard deviation in steps of 255


class ColourCamera:
    """Renders blue, green, red bytes; holds the pattern of leaves, stalks and stones."""

    def __init__(self, world: World, ground: Ground) -> None:
        self._world, self._ground = world, ground
        rng = np.random.default_rng(1280960)
        detail = 0.75 * noise(rng, DETAIL_PX, 4.0) + 0.65 * noise(rng, DETAIL_PX, 11.0)
        self._detail = np.clip(128 + 40 * detail, 0, 255).astype(np.uint8)
        self._grain = rng.normal(0.0, GRAIN, (DETAIL_PX * 2, DETAIL_PX * 2)).astype(np.int16)
        self._smoke = Smoke()

    def render(self, view: View, at: datetime, *, rng: np.random.Generator) -> Bgr:
        """Return the picture."""
        sky = Sky.over(self._world.site.origin, at)
        picture = self._terrain(view, at, rng)
        for face in faces(view, self._world, sky):
            cv2.fillConvexPoly(picture, _fixed(face.outline_px), face.colour, cv2.LINE_AA, 4)
        self._draw_strands(picture, view, sky)
        self._draw_things(picture, view, at, sky)
        self._draw_smoke(picture, view, at, sky)
        return picture

    def _terrain(self, view: View, at: datetime, rng: np.random.Generator) -> Bgr:
        x, y = ground_maps(view, self._world, self._ground)
        self._ground.prepare(at, x[::8, ::8], y[::8, ::8])
        seen = cv2.remap(self._ground.colour, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        fine_x, fine_y = (self._detail_map(m) for m in (x, y))
        detail = cv2.remap(self._detail, fine_x, fine_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        coarse = cv2.extractChannel(seen, 3)
        relief = cv2.multiply(
            cv2.subtract(detail, 128, dtype=cv2.CV_16S), coarse, scale=1 / 96, dtype=cv2.CV_16S
        )
        height, width = relief.shape
        row, column = (int(v) for v in rng.integers(0, (2 * DETAIL_PX - height, 2 * DETAIL_PX - width)))
        relief += self._grain[row : row + height, column : column + width]
        picture = cv2.add(cv2.cvtColor(seen, cv2.COLOR_BGRA2BGR), cv2.merge([relief] * 3), dtype=cv2.CV_8U)
        if x.min() < -5000:
            picture[x < -5000] = SKY_BGR
        return np.asarray(picture)

    def _detail_map(self, ground_px: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return where the pixels lie in the detail tile; OpenCV's coordinates must stay small."""
        scale = STEP_M / DETAIL_STEP_M
        start = np.floor(max(float(ground_px.min()), 0.0) * scale / DETAIL_PX) * DETAIL_PX
        return np.asarray(ground_px * np.float32(scale) - np.float32(start))

    def _draw_strands(self, picture: Bgr, view: View, sky: Sky) -> None:
        lattice, hung = strands(view, self._world)
        for lines, colour in ((hung, WIRE_BGR), (lattice, STEEL_BGR)):
            shade = tuple(c * sky.daylight for c in colour)
            cv2.polylines(picture, [_fixed(s) for s in lines], False, shade, 1, cv2.LINE_AA, 4)

    def _draw_things(self, picture: Bgr, view: View, at: datetime, sky: Sky) -> None:
        for decoy in decoys_in_view(view, self._world):
            patch = decoy_patch(view, decoy) if hides(decoy) else None
            if patch:
                colour, cover = decoy_colour(decoy, patch.x_m, patch.y_m)
                paint_patch(picture, patch, colour * sky.daylight, cover)
        for fire in fires_in_view(view, self._world, at):
            patch = fire_patch(view, self._world, fire, at)
            if patch:
                paint_patch(picture, patch, *fire_colour(fire, patch.x_m, patch.y_m, now=at))

    def _draw_smoke(self, picture: Bgr, view: View, at: datetime, sky: Sky) -> None:
        fires = fires_in_view(view, self._world, at)
        cover = self._smoke.cover(view, fires, self._world.site.wind, at)
        if cover is None:
            return
        rows, columns = np.flatnonzero(cover.any(1)), np.flatnonzero(cover.any(0))
        coarse = cover[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        scale = picture.shape[0] // cover.shape[0]
        top, left = rows[0] * scale, columns[0] * scale
        size = (coarse.shape[1] * scale, coarse.shape[0] * scale)
        share = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)[..., None]
        here = picture[top : top + size[1], left : left + size[0]]
        grey = np.array(SMOKE_BGR, np.float32) * np.float32(sky.daylight)
        here[:] = here + (grey - here) * share


def _fixed(points_px: Floats) -> npt.NDArray[np.int32]:
    """Return pixels for OpenCV, whose whole numbers are pixel centres, with 4 binary places."""
    return np.round((np.clip(points_px, -4000, 8000) - 0.5) * 16).astype(np.int32)
