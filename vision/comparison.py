"""Today beside before: the steps that every detector of change takes before it looks for its own.

A look is laid on the ground, the baseline is asked how that ground looked, and the one is registered on the
other. Each step that fails says why: change is never claimed where the two do not fit.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from shapely.geometry import Polygon

from missions.geo import Floats
from missions.model import Camera
from vision import orthophoto, registration
from vision.baselines import Before, Missing
from vision.chart import Chart, Mask
from vision.detectors import Abstained
from vision.frame import Frame
from vision.georeference import Unplaced
from vision.model import Box
from vision.orthophoto import Projection
from vision.registration import Registered, Unregistered
from vision.scene import Scene

WITHIN_M, WITHIN_PX = 20.0, 8
"""So far a pose may put a look off: metres, or pixels of a coarse chart."""

DARK = 25.0
"""Below this mean brightness a colour picture shows nothing: night."""

FLAT = 6.0
"""Below this scatter of brightness all looks alike: fog, cloud, a lens cap."""

WHITE, WHITE_SHARE = 205, 0.5
"""More of a picture than this being brighter in every colour is snow, or cloud below the camera."""


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """One look on the ground: its chart, and by what its frame was laid there, None for a chart."""

    chart: Chart
    by: Projection | None

    def to_picture(self, ring: Floats) -> Floats:
        """Return the picture's pixels of rows of (x, y) in the chart."""
        return self.by.to_picture(ring) if self.by else np.asarray(ring)


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """What a place looked like before, today on the same grid, and how the two fit."""

    before: Before
    today: Chart
    fit: Registered
    laid: Laid

    def to_picture(self, ring: Floats) -> Floats:
        """Return the picture's pixels of rows of (x, y) on before's grid."""
        back = np.linalg.inv(self.fit.matrix)
        return self.laid.to_picture(cv2.perspectiveTransform(ring[None].astype(float), back)[0])


def is_colour(frame: Frame) -> bool:
    """Return whether it is a colour picture."""
    return frame.pixels is not None and frame.pixels.ndim == 3


def unseen(frame: Frame) -> str | None:
    """Return why a colour picture shows nothing to anybody, None where it shows something."""
    assert frame.pixels is not None
    some = np.ascontiguousarray(frame.pixels[::4, ::4])
    grey, white = cv2.cvtColor(some, cv2.COLOR_RGB2GRAY).astype(np.float32), some.min(axis=2) > WHITE
    if frame.chart is not None:
        known = frame.chart.known[::4, ::4]
        grey, white = grey[known], white[known]
        if not grey.size:
            return "no pixel of it is known"
    if float(grey.mean()) < DARK and float(np.percentile(grey, 95)) < 3 * DARK:
        return "too dark to tell anything by colour: night; look by day"
    if float(grey.std()) < FLAT:
        return "everything in it looks alike: fog, cloud or a covered lens; look again in clear air"
    if float(white.mean()) > WHITE_SHARE:
        return "most of it is white: snow or cloud hides what lies there; look again when it has gone"
    return None


def on_ground(frame: Frame, scene: Scene, *, else_unknown: str) -> Laid | Abstained:
    """Return a colour frame on the ground; `else_unknown` is what cannot be told without a place there."""
    if frame.chart is not None:
        return Laid(frame.chart, None)
    if scene.ground is None:
        return Abstained(f"without a place on the ground {else_unknown}")
    by = orthophoto.projected(frame, scene.ground)
    if isinstance(by, Unplaced):
        return Abstained(f"not laid on the ground: {by.reason}")
    return Laid(orthophoto.chart_of(frame, by), by)


def compared(frame: Frame, scene: Scene, *, unknown: str) -> Compared | Abstained:
    """Return a colour frame beside what its ground looked like before, or why there is no comparing.

    `unknown` is what nobody knows without a baseline.
    """
    pair = beside(frame, scene, unknown=unknown)
    return pair if isinstance(pair, Abstained) else fitted(*pair)


def beside(frame: Frame, scene: Scene, *, unknown: str) -> tuple[Laid, Before] | Abstained:
    """Return a colour frame on the ground and what that looked like before, not yet fitted, or why not."""
    if reason := unseen(frame):
        return Abstained(reason)
    if scene.baseline is None:
        return Abstained(f"no baseline of this place yet: {unknown}; a clear flight makes one")
    laid = on_ground(frame, scene, else_unknown="it cannot be compared with what was there before")
    if isinstance(laid, Abstained):
        return laid
    before = scene.baseline.before(laid.chart.grid)
    return Abstained(before.reason) if isinstance(before, Missing) else (laid, before)


def fitted(laid: Laid, before: Before) -> Compared | Abstained:
    """Return a look laid on what was there before, or that it does not fit."""
    fit = registered(laid.chart, before)
    if isinstance(fit, Abstained):
        return fit
    return Compared(before, _moved(laid.chart, fit), fit, laid)


def registered(today: Chart, before: Before) -> Registered | Abstained:
    """Return how a chart lies on what was there before, or that it does not fit."""
    grey = [cv2.cvtColor(c.rgb, cv2.COLOR_RGB2GRAY) for c in (today, before.chart)]
    fit = registration.register(
        np.asarray(grey[0]),
        np.asarray(grey[1]),
        known=today.known & before.chart.known,
        pixel_m=today.grid.pixel_m,
        within_m=max(WITHIN_M, WITHIN_PX * today.grid.pixel_m),
    )
    if isinstance(fit, Unregistered):
        return Abstained(f"it does not fit onto {before.version}: {fit.reason}")
    return fit


def box_of(ring: Floats, camera: Camera) -> Box:
    """Return the part of a picture that a ring of its pixels covers."""
    (left, top), (right, bottom) = ring.min(axis=0), ring.max(axis=0)
    return Box(
        float(max(left, 0)),
        float(max(top, 0)),
        float(min(right, camera.width_px)),
        float(min(bottom, camera.height_px)),
    )


def inside(shape: Polygon, size: tuple[int, int]) -> Mask:
    """Return the pixels inside a polygon's outer ring, those on it included."""
    drawn = np.zeros(size, np.uint8)
    cv2.fillPoly(drawn, [np.round(np.asarray(shape.exterior.coords)).astype(np.int32)], 1)
    return np.asarray(drawn > 0)


def outline_of(ring: npt.NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """Return a ring as a detection keeps it."""
    return tuple((float(x), float(y)) for x, y in ring)


def _moved(chart: Chart, fit: Registered) -> Chart:
    """Return today's chart where before has it."""
    known = fit.onto(chart.known.astype(np.uint8), nearest=True) > 0
    return replace(chart, values=fit.onto(chart.values), known=np.asarray(known))
