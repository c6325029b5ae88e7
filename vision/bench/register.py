"""How well a picture is laid on what was there before, and whether wrong places are refused.

Right pairs: two overlapping real photos (the error is that of tie points that had no part in the fit), real
aerial pictures of one place over ten years, and simulated pairs, whose true poses say where each pixel
belongs. Wrong places: every picture is also laid on the pictures of other places, as if its pose had put
it there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import cv2
import numpy as np

from missions.geo import Floats
from missions.measure import Job, Row, at_least, at_most, measured
from vision import chart as charts
from vision import orthophoto, registration
from vision.bench import gallery, photos
from vision.bench.gallery import Picture
from vision.chart import Chart, Grid, warped
from vision.frame import Frame, load
from vision.georeference import FlatGround, Ground, Unplaced, intersect
from vision.orthophoto import Projection
from vision.pinhole import rays
from vision.registration import Registered, Unregistered
from vision.tangent import Tangent

PIXEL_M = 0.2
WITHIN_M = 20.0
WRONG_EACH = 4
PAIRS, QUICK_PAIRS = range(1, 41), range(1, 4)


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A picture on the ground: frame, chart, where each ground pixel lies in it, and its true place."""

    frame: Frame
    chart: Chart
    projection: Projection
    picture: Picture | None


def rows(job: Job) -> Iterator[Row]:
    """Yield the median error of right pairs, how many of them were laid, and the wrong places refused."""
    seeds = QUICK_PAIRS if job.quick else PAIRS
    errors, refused, right = [], 0, 0
    views: list[Chart] = []
    for kind, (first, second) in (("logging", ("before", "after")), ("flood", ("bank_before", "bank"))):
        with gallery.made(kind, seeds) as pictures:
            for seed in seeds:
                one, two = (_laid(pictures[seed, name]) for name in (second, first))
                right += 1
                fit = _register(one.chart, two.chart)
                refused += isinstance(fit, Unregistered)
                error = None if isinstance(fit, Unregistered) else _error_m(one, two, fit)
                errors += [] if error is None else [error]
                job.raw.write("register", {"kind": kind, "seed": seed, "error_m": error, "fit": str(fit)})
                views += [one.chart, two.chart] if seed % 2 else [one.chart]
    yield at_most("register.median_m", float(np.median(errors)), 0.5, unit="m", clock="none")
    yield measured("register.p95_m", float(np.percentile(errors, 95)), unit="m", clock="none")
    yield measured("register.laid", 1 - refused / right, unit="of pairs", clock="none")
    yield from _real(job, views)
    wrong, let_in = _wrong(views, job)
    yield at_least("register.bad_refused", 1 - let_in / max(wrong, 1), 0.99, unit=f"of {wrong}", clock="none")


def _real(job: Job, views: list[Chart]) -> Iterator[Row]:
    """Yield what real pictures give; their charts join those that are laid on wrong places."""
    folder = photos.data_folder()
    if folder is None:
        return
    two = [load(folder / "brighton_dji_p3" / name) for name in ("DJI_0024.JPG", "DJI_0026.JPG")]
    pose, above = two[0].shot.pose, two[0].metadata.reading.above_takeoff_m
    assert pose is not None
    assert above is not None
    ground = FlatGround(pose.altitude_m - above)
    one, other = (_on(frame, ground, 0.1) for frame in two)
    fit = _register(one.chart, other.chart)
    ties = photos.tie_points(*two)
    error = (
        float("nan") if isinstance(fit, Unregistered) else _tie_error_m(one, other, fit, ties, two, ground)
    )
    job.raw.write("register", {"kind": "photos", "error_m": error, "fit": str(fit), "ties": len(ties)})
    yield at_most("register.photos_m", error, 0.5, unit="m, real", clock="none")
    aerial = folder.parent / "flood" / "naip_potholes"
    dated = [charts.read(path) for path in sorted(aerial.glob("*.tif"))]
    fits = [_register(a, b) for a, b in combinations(dated, 2)]
    laid = [f for f in fits if isinstance(f, Registered)]
    if fits:
        yield measured("register.aerial_laid", len(laid) / len(fits), unit="of pairs", clock="none")
    views += [one.chart, other.chart, *dated[:1]]


def _wrong(views: Sequence[Chart], job: Job) -> tuple[int, int]:
    """Return how many wrong places were tried, and how many were not refused."""
    rng = np.random.default_rng(1)
    tried = let_in = 0
    for i, today in enumerate(views):
        for j in rng.choice(len(views), WRONG_EACH, replace=False).tolist():
            if i == j or _near(today.grid, views[j].grid):
                continue
            fit = _register(today, _moved_under(views[j], today.grid))
            tried += 1
            let_in += isinstance(fit, Registered)
            job.raw.write(
                "register_wrong", {"today": today.source, "before": views[j].source, "fit": str(fit)}
            )
    return tried, let_in


def _near(one: Grid, other: Grid) -> bool:
    return one.meets(other)


def _moved_under(chart: Chart, grid: Grid) -> Chart:
    """Return another place's chart as if it lay here: its pixels under the same grid."""
    size = (grid.width, grid.height)
    values = cv2.resize(np.ascontiguousarray(chart.values[..., :3]), size, interpolation=cv2.INTER_AREA)
    known = cv2.resize(chart.known.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    return replace(chart, grid=grid, values=np.asarray(values), known=np.asarray(known), bands=charts.RGB)


def _register(today: Chart, before: Chart) -> Registered | Unregistered:
    there = before if before.grid == today.grid else warped(before, today.grid)
    grey = [np.asarray(cv2.cvtColor(c.rgb, cv2.COLOR_RGB2GRAY), np.uint8) for c in (today, there)]
    pixel_m = today.grid.pixel_m
    within_m = max(WITHIN_M, 8 * pixel_m)
    known = today.known & there.known
    return registration.register(grey[0], grey[1], known=known, pixel_m=pixel_m, within_m=within_m)


def _laid(picture: Picture) -> Laid:
    laid = _on(load(picture.path), gallery.place()[1], PIXEL_M)
    return replace(laid, picture=picture)


def _on(frame: Frame, ground: Ground, pixel_m: float) -> Laid:
    projection = orthophoto.projected(frame, ground, pixel_m=pixel_m)
    assert not isinstance(projection, Unplaced), projection.reason
    assert frame.pixels is not None
    chart = Chart(
        projection.grid, projection.onto(frame.pixels), projection.seen, charts.RGB, frame.shot.file
    )
    return Laid(frame, chart, projection, None)


def _error_m(one: Laid, other: Laid, fit: Registered) -> float:
    """Return how far off a simulated pair's fit is in the median, by the true poses.

    A ground pixel of today's chart is a pixel of today's picture (by the pose its file tells); the true pose
    says which ground that is; the true pose of before says in which pixel of its picture that lies, and the
    pose its file tells where on its chart.
    """
    assert one.picture is not None
    assert other.picture is not None
    ground = gallery.place()[1]
    rows_, columns = np.nonzero(one.chart.known)
    step = max(len(rows_) // 400, 1)
    at = np.column_stack([columns[::step], rows_[::step]]).astype(float) + 0.5
    pixels = one.projection.to_picture(at)
    camera = one.frame.shot.camera
    truth = replace(one.picture.true)
    hits = intersect(truth, rays(camera, truth, pixels), ground=ground)
    lat, lon, height = Tangent(truth.place, truth.altitude_m).geodetic(hits.point_m)
    then = other.picture.true
    points = Tangent(then.place, then.altitude_m).local(lat, lon, height)
    seen, ahead = orthophoto.to_pixels(camera, then, points)
    told = other.frame.shot.pose
    assert told is not None
    back = intersect(told, rays(camera, told, seen), ground=ground)
    lat, lon, _ = Tangent(told.place, told.altitude_m).geodetic(back.point_m)
    truly = one.chart.grid.to_pixels(lat, lon)
    laid = cv2.perspectiveTransform(at[None], fit.matrix)[0]
    size = (camera.width_px, camera.height_px)
    inside = ahead & back.found & hits.found & (seen > 0).all(axis=1) & (seen < size).all(axis=1)
    return float(np.median(np.hypot(*(laid - truly)[inside].T))) * one.chart.grid.pixel_m


def _tie_error_m(
    one: Laid, other: Laid, fit: Registered, ties: Floats, two: Sequence[Frame], ground: Ground
) -> float:
    """Return how far apart the fit leaves tie points that were found in the full photos on their own."""
    places = []
    for frame, pixels in zip(two, (ties[:, :2], ties[:, 2:]), strict=True):
        pose = frame.shot.pose
        assert pose is not None
        hits = intersect(pose, rays(frame.shot.camera, pose, pixels), ground=ground)
        lat, lon, _ = Tangent(pose.place, pose.altitude_m).geodetic(hits.point_m)
        places.append(one.chart.grid.to_pixels(lat, lon))
    laid = cv2.perspectiveTransform(places[0][None], fit.matrix)[0]
    return float(np.median(np.hypot(*(laid - places[1]).T))) * one.chart.grid.pixel_m
