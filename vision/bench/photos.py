"""Row `photos`: real overlapping photos must agree on where the ground they share lies.

Two DJI photos taken 14 s apart show the same forest edge. Points that both show are found by SIFT, matched
one to one and held to the geometry of two views; each is put on the ground from either photo, and the two
places must differ by no more than the 95 % ellipse of that difference says. The poses of two photos err
alike in part (drift), which the ellipse of the difference takes into account. There is no surveyed point
in the data, so this tests agreement, not truth; all points of a pair share the two poses.

With `--raw`, the footprints of the oblique photos are drawn on their elevation models.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from missions.geo import Floats, LocalFrame
from missions.measure import Job, Row, at_least, measured, skipped
from vision.bench.drawing import draw_footprint
from vision.footprint import footprint
from vision.frame import Frame, load
from vision.fusion import noise_m2
from vision.georeference import FlatGround, Located, locate_many
from vision.grounds import Grounds
from vision.uncertainty import CHI2_95

PAIR = ("DJI_0024.JPG", "DJI_0026.JPG")
OBLIQUE = ("skydio-catilina.jpg", "S1008521.JPG", "teal2_img_eo_00015.jpg")
_WORK_WIDTH_PX = 2000
_RATIO = 0.75  # Lowe's: a match counts when the second best is this much worse
_EPIPOLAR_PX = 3.0
_FEWEST = 30


def rows(job: Job) -> Iterator[Row]:
    """Yield the share of tie points whose two places agree within their joint 95 % ellipse."""
    folder = data_folder()
    if folder is None:
        yield skipped("photos.tie_inside", "the shared photos are not on this machine", target="≥ 0.9")
        return
    one, other = (load(folder / "brighton_dji_p3" / name) for name in PAIR)
    ties = tie_points(one, other)
    if len(ties) < _FEWEST:
        yield skipped("photos.tie_inside", f"only {len(ties)} tie points were found", target="≥ 0.9")
        return
    apart, inside = agreement(one, other, ties)
    job.raw.write(
        "photos",
        *({"apart_m": float(a), "inside": bool(i)} for a, i in zip(apart, inside, strict=True)),
    )
    yield at_least("photos.tie_inside", float(np.mean(inside)), 0.90, unit="", clock="none")
    yield measured("photos.ties", float(len(ties)), unit="", clock="none")
    yield measured("photos.apart_m", float(np.median(apart)), unit="m", clock="none")
    drawn = draw_all(folder / "openathena", job.raw.folder) if job.raw.folder else 0
    if drawn:
        yield measured("photos.footprints_drawn", float(drawn), unit="", clock="none")


def data_folder() -> Path | None:
    """Return the folder of geotagged photos: `GRIDPATROL_SHARED_DATA`, else ../shared/data; None without."""
    root = Path(os.environ.get("GRIDPATROL_SHARED_DATA", "../shared/data"))
    folder = root / "geotagged"
    return folder if (folder / "brighton_dji_p3").is_dir() else None


def tie_points(one: Frame, other: Frame) -> Floats:
    """Return pixels that show the same ground: rows of x, y in one photo and x, y in the other."""
    views = [_grey(f) for f in (one, other)]
    sift = cv2.SIFT.create(nfeatures=10_000)
    (points_a, marks_a), (points_b, marks_b) = (sift.detectAndCompute(v, None) for v, _ in views)
    matcher = cv2.BFMatcher(cv2.NORM_L2)
    there = {m.queryIdx: m.trainIdx for m in _unambiguous(matcher.knnMatch(marks_a, marks_b, k=2))}
    back = {m.queryIdx: m.trainIdx for m in _unambiguous(matcher.knnMatch(marks_b, marks_a, k=2))}
    pairs = [(a, b) for a, b in there.items() if back.get(b) == a]
    if len(pairs) < 8:
        return np.empty((0, 4))
    at_a = np.array([points_a[a].pt for a, _ in pairs]) / views[0][1]
    at_b = np.array([points_b[b].pt for _, b in pairs]) / views[1][1]
    _, kept = cv2.findFundamentalMat(at_a, at_b, cv2.USAC_MAGSAC, _EPIPOLAR_PX, 0.999, 20_000)
    return np.asarray(np.column_stack([at_a, at_b])[kept.ravel() == 1])


def agreement(one: Frame, other: Frame, ties: Floats) -> tuple[Floats, Floats]:
    """Return how far apart the two places of each tie point are, and whether the ellipses allow it."""
    places = [_placed(frame, ties[:, part]) for frame, part in ((one, slice(0, 2)), (other, slice(2, 4)))]
    times = [f.shot.taken_at for f in (one, other)]
    seconds = np.array([0.0, (times[1] - times[0]).total_seconds() if times[0] and times[1] else 0.0])
    apart, inside = [], []
    for a, b in zip(*places, strict=True):
        if not (isinstance(a, Located) and isinstance(b, Located)):
            continue
        frame = LocalFrame(a.place)
        off = np.array(frame.to_local(b.place))
        noise, ground = noise_m2([a.sight, b.sight], ["drone", "drone"], seconds)
        apart_by = np.block([[-np.eye(2), np.eye(2)]])
        leans = apart_by @ ground
        spread = apart_by @ noise @ apart_by.T + np.outer(leans, leans)
        apart.append(float(np.hypot(*off)))
        inside.append(bool(off @ np.linalg.solve(spread, off) <= CHI2_95))
    return np.array(apart), np.array(inside)


def draw_all(folder: Path, out: Path) -> int:
    """Draw every oblique photo's footprint on its elevation model; return how many were drawn."""
    files = sorted(folder.iterdir())
    grounds = Grounds(files, None)
    drawn = 0
    for name in OBLIQUE:
        frame = load(folder / name)
        pose = frame.shot.pose
        terrain = grounds.under(folder / name, pose.place if pose else None)
        if pose is None or terrain is None:
            continue
        ring = footprint(frame.shot.camera, pose, ground=terrain)
        if isinstance(ring, tuple):
            draw_footprint(terrain, pose.place, ring, out / f"footprint-{Path(name).stem}.png", title=name)
            drawn += 1
    return drawn


def _placed(frame: Frame, pixels: Floats) -> Sequence[object]:
    """Return the places of pixels on level ground as far below the camera as it was over take-off."""
    pose, above = frame.shot.pose, frame.metadata.reading.above_takeoff_m
    if pose is None or above is None:
        return [None] * len(pixels)
    return locate_many(frame.shot.camera, pose, pixels, ground=FlatGround(pose.altitude_m - above))


def _grey(frame: Frame) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], float]:
    """Return the photo in grey at a width that SIFT handles, and its scale."""
    assert frame.pixels is not None
    scale = _WORK_WIDTH_PX / frame.pixels.shape[1]
    grey = cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY) if frame.pixels.ndim == 3 else frame.pixels
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), scale


def _unambiguous(matches: Sequence[Sequence[cv2.DMatch]]) -> list[cv2.DMatch]:
    return [m[0] for m in matches if len(m) == 2 and m[0].distance < _RATIO * m[1].distance]
