"""Crowns that died since the last look: rust or grey where the same crown was green.

Today's picture is laid on what the place looked like before, as for felling. A dead crown is a patch as
large as a crown whose green has gone while the wood around it kept its own; what the season or the light
did to the whole wood is the median of the change and is taken off. Crowns that were dead before are no news.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from missions.model import Hazard, Sensor
from vision.chart import Chart, Mask
from vision.comparison import Compared, compared, is_colour, outline_of
from vision.detectors import Abstained, Found
from vision.frame import Frame
from vision.model import Box, Detection
from vision.scene import Scene

CROWN_M2 = (5.0, 90.0)
GREEN = 0.02  # excess green of a living crown, at least
LEAST_DROP, DEVIATIONS = 0.05, 5.0
SMOOTH_M = 0.7
SOLID = 0.5  # a crown's patch fills so much of its box, and more
SNOW, SNOW_SHARE = 215, 0.25

Index = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Dead:
    """One dead crown on the baseline's grid: its ring, the green it lost in deviations of the wood's."""

    ring: npt.NDArray[np.float64]
    deviations: float
    pixels: int


class TreeHealth:
    """Finds crowns that died since the baseline, in colour frames that have a pose and in charts."""

    name = "tree-health 1"
    hazards = frozenset({Hazard.TREE_HEALTH})

    def reads(self, frame: Frame) -> bool:
        """Return whether it is a colour picture."""
        return is_colour(frame)

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return a detection for each crown that died, or why that cannot be told."""
        pair = compared(frame, scene, unknown="which crowns were dead before is not known")
        if isinstance(pair, Abstained):
            return pair
        found = died(pair.before.chart, pair.today)
        if isinstance(found, Abstained):
            return found
        return tuple(self._detection(dead, pair) for dead in found)

    def _detection(self, dead: Dead, pair: Compared) -> Detection:
        ring = pair.to_picture(dead.ring)
        (left, top), (right, bottom) = ring.min(axis=0), ring.max(axis=0)
        clear = min(dead.deviations / (4 * DEVIATIONS), 1.0)
        return Detection(
            hazard=Hazard.TREE_HEALTH,
            confidence=round(0.5 + 0.45 * clear * pair.fit.share, 3),
            box=Box(float(left), float(top), float(right), float(bottom)),
            detector=self.name,
            sensor=Sensor.RGB,
            pixels=dead.pixels,
            outline_px=outline_of(ring),
            kind="dead crown",
            facts={
                "area_m2": round(dead.pixels * pair.before.chart.grid.pixel_m2, 1),
                "compared_with": pair.before.version,
                "registered_m": round(pair.fit.error_m, 2),
            },
        )


def died(before: Chart, today: Chart) -> tuple[Dead, ...] | Abstained:
    """Return the crowns that lost their green between two charts of one grid, or why none can be told."""
    known = before.known & today.known
    if not known.any():
        return Abstained("today's picture and the one before share no ground")
    if float((today.rgb.min(axis=2)[known] > SNOW).mean()) > SNOW_SHARE:
        return Abstained("the wood is white: snow hides which crowns are green")
    side = before.grid.pixel_m
    was, now = (_greenness(c, known, side) for c in (before, today))
    wood = known & (was > GREEN)
    if float(wood.sum()) * before.grid.pixel_m2 < 20 * CROWN_M2[0]:
        return Abstained("no green wood stood here before")
    if float(np.median(now[wood])) < GREEN:
        return Abstained("the wood has no green left: in this season dead crowns look like living ones")
    drop = was - now
    lost = drop - np.float32(np.median(drop[wood]))
    spread = 1.4826 * float(np.median(np.abs(lost[wood])))
    level = max(LEAST_DROP, DEVIATIONS * spread)
    is_dead = (lost > level) & wood & (now < np.quantile(now[wood], 0.25))
    return tuple(_crowns(is_dead, lost, spread, before.grid.pixel_m2))


def _greenness(chart: Chart, known: Mask, side_m: float) -> Index:
    """Return the excess of green over red, as a share of their light: shade and sun fall out."""
    rgb = chart.rgb.astype(np.float32)
    red, green, blue = (cv2.GaussianBlur(rgb[..., i] * known, (0, 0), SMOOTH_M / side_m) for i in range(3))
    return np.asarray((green - red) / np.maximum(red + green + blue, 20.0), np.float32)


def _crowns(mask: Mask, lost: Index, spread: float, pixel_m2: float) -> list[Dead]:
    """Return the patches that have a crown's size and shape."""
    opened = ndimage.binary_opening(mask, np.ones((3, 3)))
    label, count = ndimage.label(ndimage.binary_fill_holes(opened))
    found = []
    for number, box in enumerate(ndimage.find_objects(label, count), start=1):
        own = label[box] == number
        area = float(own.sum()) * pixel_m2
        if not CROWN_M2[0] <= area <= CROWN_M2[1] or own.mean() < SOLID:
            continue
        shapes, _ = cv2.findContours(own.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        corner = np.array([box[1].start + 0.5, box[0].start + 0.5])
        ring = max(shapes, key=cv2.contourArea)[:, 0].astype(float) + corner
        if len(ring) < 3:
            continue
        deviations = float(lost[box][own].mean()) / max(spread, 1e-3)
        found.append(Dead(np.vstack([ring, ring[:1]]), deviations, int(own.sum())))
    return found
