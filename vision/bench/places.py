"""Rows `single`, `fused` and `ellipse`: how far off places are, and how true their ellipses."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from missions.geo import Floats
from missions.measure import Job, Row, at_most, measured, within
from vision.bench import NOISE, truth
from vision.fusion import fuse
from vision.georeference import Located, locate
from vision.model import Ellipse, Look
from vision.uncertainty import CHI2_95, to_covariance

BINS = ((0, 9), (9, 18), (18, 27), (27, 36), (36, 45))
OBLIQUE_DEG = 40.0
_SINGLES, _OBJECTS = 900, 450  # a bin
_PASSES = (0.0, 90.0)  # seconds at which each of the two passes begins
_LOOKS_A_PASS, _EVERY_S = 4, 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """One estimate beside the truth: its error in metres east and north, and its ellipse."""

    bin: tuple[int, int]
    off_nadir_deg: float
    above_m: float
    error_m: Floats
    ellipse: Ellipse
    bound_m2: float

    @property
    def off_m(self) -> float:
        return float(np.hypot(*self.error_m))

    @property
    def is_inside(self) -> bool:
        return bool(self.error_m @ np.linalg.solve(to_covariance(self.ellipse), self.error_m) <= CHI2_95)


def single(job: Job) -> Iterator[Row]:
    """Yield how far off one look's place is."""
    job.say(f"  {NOISE}")
    answers = singles(job.quick)
    _keep(job, "single", answers)
    anchor = "4.2 m mean; 30-43 m RMSE"
    yield from _errors("single", answers, anchor)
    oblique = [a for a in answers if a.off_nadir_deg >= OBLIQUE_DEG]
    allowed = math.sqrt(float(np.mean([a.bound_m2 for a in oblique])))
    for name, share in (("median", 50), ("p95", 95)):
        off = float(np.percentile([a.off_m for a in oblique], share))
        yield measured(f"single.at_45deg.{name}_m", off, unit="m", clock="none")
    yield measured("single.at_45deg.rmse_m", _rmse(oblique), unit="m", clock="none")
    yield measured("single.at_45deg.rmse_bound_m", allowed, unit="m", clock="none")
    high = [a for a in answers if a.above_m >= 110.0]
    yield measured(
        "single.at_120m.median_m", float(np.median([a.off_m for a in high])), unit="m", clock="none"
    )


def fused(job: Job) -> Iterator[Row]:
    """Yield how far off eight looks' place is, beside what their noise allows."""
    job.say(f"  {NOISE}")
    answers = fusions(job.quick, 0)
    _keep(job, "fused", answers)
    allowed = math.sqrt(float(np.mean([a.bound_m2 for a in answers])))
    yield measured("fused.rmse_m", _rmse(answers), unit="m", clock="none", anchor="11.7-19.8 m RMSE filtered")
    yield measured("fused.bound_m", allowed, unit="m", clock="none")
    yield at_most("fused.rmse_over_bound", _rmse(answers) / allowed, 1.15, unit="", clock="none")
    spoilt = fusions(job.quick, 1)
    _keep(job, "fused.one_bad_pose", spoilt)
    allowed = math.sqrt(float(np.mean([a.bound_m2 for a in spoilt])))
    yield measured("fused.one_bad_pose.rmse_over_bound", _rmse(spoilt) / allowed, unit="", clock="none")


def ellipse(job: Job) -> Iterator[Row]:
    """Yield the share of truths inside the 95 % ellipse in every bin, and the ellipses' mean area."""
    for name, answers in (("single", singles(job.quick)), ("fused", fusions(job.quick, 0))):
        if not job.wants(f"ellipse.{name}"):
            continue
        shares = [_inside([a for a in answers if a.bin == bin_]) for bin_ in BINS]
        for bin_, share in zip(BINS, shares, strict=True):
            yield within(
                f"ellipse.{name}.inside.{bin_[0]}-{bin_[1]}deg", share, (0.92, 0.98), unit="", clock="none"
            )
        yield within(f"ellipse.{name}.inside", _inside(answers), (0.92, 0.98), unit="", clock="none")
        areas = [math.pi * a.ellipse.major_m * a.ellipse.minor_m for a in answers]
        yield measured(f"ellipse.{name}.mean_area_m2", float(np.mean(areas)), unit="m²", clock="none")


@lru_cache(maxsize=2)
def singles(quick: bool) -> tuple[Answer, ...]:
    """Return one look each at many targets, evenly over the bins."""
    rng = np.random.default_rng(71)
    return tuple(_single(rng, bin_) for bin_ in BINS for _ in range(_SINGLES // (20 if quick else 1)))


@lru_cache(maxsize=4)
def fusions(quick: bool, bad: int) -> tuple[Answer, ...]:
    """Return eight fused looks each at many targets; `bad` of them have a pose far beyond its errors."""
    rng = np.random.default_rng(72)
    count = _OBJECTS // (45 if quick else 1) // (3 if bad else 1)
    return tuple(_fusion(rng, bin_, bad) for bin_ in BINS for _ in range(count))


def _single(rng: np.random.Generator, bin_: tuple[int, int]) -> Answer:
    """Return one look at a target on hills of its own."""
    while True:
        hills = truth.hills(rng)
        target = truth.on_ground(rng.uniform(-400, 400, 2), hills)
        angle, above = rng.uniform(*bin_), rng.uniform(60.0, 120.0)
        taken = truth.take(
            rng,
            truth.Drifts(rng),
            target,
            hills,
            azimuth_deg=rng.uniform(0, 360),
            off_nadir_deg=angle,
            above_m=above,
            at_s=0.0,
        )
        if taken is None:
            continue
        at = locate(truth.CAMERA, taken.pose, taken.pixel[0], taken.pixel[1], ground=truth.model(rng, hills))
        if isinstance(at, Located):
            off = np.array(truth.FRAME.to_local(at.place)) - target[:2]
            bound = truth.bound_m2([taken], target, hills)
            return Answer(bin_, angle, above, off, at.ellipse, bound)


def _fusion(rng: np.random.Generator, bin_: tuple[int, int], bad: int) -> Answer:
    """Return eight looks of two passes at one target, fused."""
    while True:
        hills = truth.hills(rng)
        target = truth.on_ground(rng.uniform(-400, 400, 2), hills)
        angle, above = rng.uniform(*bin_), rng.uniform(60.0, 120.0)
        taken = _circle(rng, target, hills, angle, above)
        if taken is None:
            continue
        ground = truth.model(rng, hills)
        looks = [_look(i, t, ground, rng if i < bad else None) for i, t in enumerate(taken)]
        if any(look is None for look in looks):
            continue
        answer = fuse([look for look in looks if look])
        off = np.array(truth.FRAME.to_local(answer.place)) - target[:2]
        return Answer(bin_, angle, above, off, answer.ellipse, truth.bound_m2(taken[bad:], target, hills))


def _circle(
    rng: np.random.Generator, target: Floats, hills: truth.Waves, angle_deg: float, above_m: float
) -> list[truth.Taken] | None:
    """Return the pictures of two passes on an arc around the target, None where one shows nothing."""
    drifts, taken = truth.Drifts(rng), []
    radius_m = above_m * math.tan(math.radians(angle_deg))
    step_deg = min(60.0, math.degrees(truth.SPEED_M_S * _EVERY_S / max(radius_m, 1.0)))
    for begins_s in _PASSES:
        azimuth = rng.uniform(0, 360)
        for k in range(_LOOKS_A_PASS):
            picture = truth.take(
                rng,
                drifts,
                target,
                hills,
                azimuth_deg=azimuth + k * step_deg,
                off_nadir_deg=angle_deg,
                above_m=above_m,
                at_s=begins_s + k * _EVERY_S,
            )
            if picture is None:
                return None
            taken.append(picture)
    return taken


def _look(i: int, taken: truth.Taken, ground: truth.Model, spoil: np.random.Generator | None) -> Look | None:
    """Return what a picture says of the target; `spoil` sets its place 25 to 60 m off."""
    at = locate(truth.CAMERA, taken.pose, taken.pixel[0], taken.pixel[1], ground=ground)
    if not isinstance(at, Located):
        return None
    place = at.place
    if spoil is not None:
        turn, far = spoil.uniform(0, 2 * math.pi), spoil.uniform(25.0, 60.0)
        east, north = truth.FRAME.to_local(place)
        place = truth.FRAME.to_place(east + far * math.sin(turn), north + far * math.cos(turn))
    return Look(str(i), place, taken.seen_at, at.sight, taken.drone)


def _errors(name: str, answers: Sequence[Answer], anchor: str) -> Iterable[Row]:
    off = [a.off_m for a in answers]
    yield at_most(f"{name}.median_m", float(np.median(off)), 4.0, unit="m", clock="none", anchor=anchor)
    yield at_most(f"{name}.p95_m", float(np.percentile(off, 95)), 12.0, unit="m", clock="none", anchor=anchor)


def _rmse(answers: Sequence[Answer]) -> float:
    return math.sqrt(float(np.mean([a.off_m**2 for a in answers])))


def _inside(answers: Sequence[Answer]) -> float:
    return float(np.mean([a.is_inside for a in answers]))


def _keep(job: Job, name: str, answers: Sequence[Answer]) -> None:
    """Write the events behind the figures."""
    job.raw.write(
        name,
        *(
            {
                "off_nadir_deg": a.off_nadir_deg,
                "above_m": a.above_m,
                "error_east_m": float(a.error_m[0]),
                "error_north_m": float(a.error_m[1]),
                "ellipse_m": [a.ellipse.major_m, a.ellipse.minor_m, a.ellipse.bearing_deg],
                "bound_m2": a.bound_m2,
                "inside": a.is_inside,
            }
            for a in answers
        ),
    )
