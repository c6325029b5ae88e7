"""Film and sheets near a power line: what the next wind may hang into the wires.

Loose film, dust sheets, roofing and banners are bright and without colour, or blue as no ground is, in one
piece, on ground that was something else before. With a baseline only what is new is told; what lies in
villages, on water or in fields, where film belongs, is not. Without one it is a suspicion below the
confidence at which an agency is told. Told with its distance to the line and whether that is inside the
line's protected zone. Black film and green nets look like shade and plants and are not told.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from missions.geo import Floats, LatLon, LocalFrame
from missions.layers import PowerLine
from missions.model import LEAST_CONFIDENCE, Hazard, Sensor
from vision.chart import Chart, Mask
from vision.comparison import Compared, Laid, box_of, compared, is_colour, on_ground, outline_of, unseen
from vision.detectors import Abstained, Found
from vision.detectors.warm_bodies import zone_m
from vision.frame import Frame
from vision.model import Detection, Fact
from vision.scene import Scene

NEAR_M = 60.0
"""Wind carries film so far beyond a zone's edge within one gust front; farther off it is somebody else's."""

SHEET_M2 = (2.0, 600.0)
WHITE, COLOURLESS = 150.0, 0.16
BLUE = 28.0
GAIN = 40.0
BRIGHTER = 25.0  # without a baseline: than the ground around it
SNOW, SNOW_SHARE = 190.0, 0.20
RIM_M = 2.0
SOFT_M, LEAST_WIDE_M = 0.25, 0.5
COARSE_M, AROUND_M = 1.0, 25.0
VAN_M = ((1.4, 2.8), (3.4, 13.0))
RECTANGULAR = 0.76

Band = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """One sheet on a chart's grid: its ring and size in pixels, and by how much it stands out."""

    ring: Floats
    pixels: int
    contrast: float


class ForeignObject:
    """Finds film and sheets near lines, in colour frames that have a pose and in charts."""

    name = "foreign-object 1"
    hazards = frozenset({Hazard.FOREIGN_OBJECT})

    def reads(self, frame: Frame) -> bool:
        """Return whether it is a colour picture."""
        return is_colour(frame)

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return the sheets near a line, or why that cannot be told."""
        if not scene.references.lines:
            return Abstained("no power line is known here: name the site that has it")
        if reason := unseen(frame):
            return Abstained(reason)
        unknown = "without a place on the ground nothing can be told to lie near a line"
        if scene.baseline is None:
            laid = on_ground(frame, scene, else_unknown=unknown)
            return laid if isinstance(laid, Abstained) else self._told(frame, scene, laid, None)
        pair = compared(frame, scene, unknown="what lay there before is not known")
        return pair if isinstance(pair, Abstained) else self._told(frame, scene, pair.laid, pair)

    def _told(self, frame: Frame, scene: Scene, laid: Laid, pair: Compared | None) -> Found:
        """Return the sheets of a look, beside what was there before where that is known."""
        today = pair.today if pair else laid.chart
        near = _Near.of(today, scene)
        if not near.lines:
            return Abstained(f"no power line within {NEAR_M:.0f} m of its zone is in the picture")
        found = sheets(today, pair.before.chart if pair else None)
        if isinstance(found, Abstained):
            return found
        told = []
        for sheet in found:
            ring = near.local(sheet.ring)
            shape = Polygon(ring)
            if near.at_home.intersects(shape):
                continue
            line, away_m = min(((k, path.distance(shape)) for k, path in near.lines), key=lambda p: p[1])
            if away_m > zone_m(line.voltage_kv) + NEAR_M:
                continue
            facts = {
                "line": line.id,
                "distance_m": round(away_m, 1),
                "in_zone": away_m <= zone_m(line.voltage_kv),
                "area_m2": round(sheet.pixels * today.grid.pixel_m2, 1),
                "compared_with": pair.before.version if pair else "nothing",
            }
            outline = pair.to_picture(sheet.ring) if pair else laid.to_picture(sheet.ring)
            told.append(self._detection(frame, sheet, outline, facts, known=pair is not None))
        return tuple(told)

    def _detection(
        self, frame: Frame, sheet: Sheet, outline: Floats, facts: dict[str, Fact], *, known: bool
    ) -> Detection:
        clear = min(sheet.contrast / (3 * GAIN), 1.0)
        sure = 0.55 + 0.4 * clear if known else (LEAST_CONFIDENCE - 0.05) * clear
        return Detection(
            hazard=Hazard.FOREIGN_OBJECT,
            confidence=round(sure, 3),
            box=box_of(outline, frame.shot.camera),
            detector=self.name,
            sensor=Sensor.RGB,
            pixels=sheet.pixels,
            outline_px=outline_of(outline),
            kind="sheet",
            facts=facts,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Near:
    """Lines near a chart and ground where film belongs, in metres around its middle."""

    chart: Chart
    frame: LocalFrame
    lines: tuple[tuple[PowerLine, LineString], ...]
    at_home: BaseGeometry

    @classmethod
    def of(cls, chart: Chart, scene: Scene) -> "_Near":
        grid, known = chart.grid, scene.references
        corners = np.array([[0, 0], [grid.width, 0], [grid.width, grid.height], [0, grid.height]], float)
        (lat_deg,), (lon_deg,) = grid.to_places(corners.mean(axis=0, keepdims=True))
        frame = LocalFrame(LatLon(float(lat_deg), float(lon_deg)))
        shown = Polygon(_local(chart, frame, corners))
        paths = [
            (k, LineString([frame.to_local(p) for _, p in k.towers]))
            for k in known.lines
            if len(k.towers) > 1
        ]
        near = tuple((k, p) for k, p in paths if p.distance(shown) <= zone_m(k.voltage_kv) + NEAR_M)
        areas = (*known.villages, *known.waters, *known.fields)
        homes = [shape for a in areas if (shape := frame.polygon(a.area).buffer(RIM_M)).intersects(shown)]
        return cls(chart, frame, near, unary_union(homes))

    def local(self, ring: Floats) -> Floats:
        return _local(self.chart, self.frame, ring)


def sheets(today: Chart, before: Chart | None) -> tuple[Sheet, ...] | Abstained:
    """Return what looks like film on a chart and did not before (on the same grid, registered)."""
    known = today.known & before.known if before else today.known
    if not known.any():
        return Abstained("today's picture and the one before share no ground")
    pixel_m = today.grid.pixel_m
    if pixel_m > LEAST_WIDE_M:
        return Abstained(f"pixels of {pixel_m:.1f} m are too coarse for film")
    white, colour, blue = _looks(today, pixel_m)
    if float((white[known] > SNOW).mean()) > SNOW_SHARE:
        return Abstained("much of the ground is white: snow, or film laid over whole fields")
    if before is not None:
        was_white, _, was_blue = _looks(before, pixel_m)
        light = float(np.median(white[known])) / max(float(np.median(was_white[known])), 1.0)
        gain_white, gain_blue = white - light * was_white, blue - light * was_blue
    else:
        gain_white, gain_blue = (v - _around(v, pixel_m) for v in (white, blue))
    least = GAIN if before is not None else BRIGHTER
    bright = (white > WHITE) & (colour < COLOURLESS) & (gain_white > least)
    tinted = (blue > BLUE) & (gain_blue > BLUE)
    contrast = np.where(tinted, gain_blue * GAIN / BLUE, gain_white)
    return tuple(_sheets(known & (bright | tinted), contrast, pixel_m))


def _looks(chart: Chart, pixel_m: float) -> tuple[Band, Band, Band]:
    """Return how white a chart is (its darkest colour), how colourful, how much bluer than red and green."""
    rgb = cv2.GaussianBlur(chart.rgb.astype(np.float32), (0, 0), max(SOFT_M / pixel_m, 0.6))
    least, most = np.asarray(rgb.min(axis=2), np.float32), np.asarray(rgb.max(axis=2), np.float32)
    blue = np.asarray(rgb[..., 2] - rgb[..., :2].max(axis=2), np.float32)
    return least, np.asarray((most - least) / np.maximum(most, 1.0), np.float32), blue


def _around(values: Band, pixel_m: float) -> Band:
    """Return what is usual within some metres of each pixel: the median of a coarser picture."""
    height, width = values.shape
    step = max(round(COARSE_M / pixel_m), 1)
    small = cv2.resize(values, (max(width // step, 1), max(height // step, 1)), interpolation=cv2.INTER_AREA)
    middle = ndimage.median_filter(small, size=round(AROUND_M / COARSE_M))
    return np.asarray(cv2.resize(middle, (width, height)), np.float32)


def _local(chart: Chart, frame: LocalFrame, ring: Floats) -> Floats:
    """Return rows of (x, y) on a chart's grid as metres east and north."""
    return np.column_stack(frame.east_north(*chart.grid.to_places(ring)))


def _sheets(mask: Mask, contrast: Band, pixel_m: float) -> list[Sheet]:
    """Return the patches as large as film that are not a vehicle's rectangle."""
    wide = max(round(LEAST_WIDE_M / pixel_m), 1)
    opened = ndimage.binary_opening(mask, np.ones((wide, wide)))
    grown = ndimage.binary_closing(opened, np.ones((3, 3)), iterations=2)
    label, count = ndimage.label(ndimage.binary_fill_holes(grown))
    found = []
    for number, box in enumerate(ndimage.find_objects(label, count), start=1):
        own = label[box] == number
        pixels = int(own.sum())
        if not SHEET_M2[0] <= pixels * pixel_m**2 <= SHEET_M2[1]:
            continue
        shapes, _ = cv2.findContours(own.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        shape = max(shapes, key=cv2.contourArea)
        if len(shape) < 3 or _is_van(shape, pixels, pixel_m):
            continue
        ring = shape[:, 0].astype(float) + np.array([box[1].start + 0.5, box[0].start + 0.5])
        found.append(Sheet(np.vstack([ring, ring[:1]]), pixels, float(np.median(contrast[box][own]))))
    return found


def _is_van(shape: npt.NDArray[np.int32], pixels: int, pixel_m: float) -> bool:
    """Return whether a patch is a rectangle of a vehicle's size."""
    _, sides, _ = cv2.minAreaRect(shape)
    across, along = sorted((s + 1) * pixel_m for s in sides)
    is_sized = VAN_M[0][0] <= across <= VAN_M[0][1] and VAN_M[1][0] <= along <= VAN_M[1][1]
    return is_sized and pixels * pixel_m**2 > RECTANGULAR * across * along
