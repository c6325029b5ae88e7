"""Floods and fellings on simulated pairs of pictures: found, not invented, and how large.

Every score here is synthetic. The first picture of a place becomes its baseline, the second is compared with
it by the detectors as `gridpatrol inspect` uses them; poses are as noisy as a consumer drone's.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from missions.geo import Area, LocalFrame
from missions.measure import Job, Row, at_least, at_most, measured
from vision import orthophoto
from vision.baselines import Baseline
from vision.baselines.single import ChartBaseline
from vision.bench import gallery
from vision.bench.gallery import Change, Picture
from vision.charted import area_m2
from vision.detectors import Abstained, Detector
from vision.detectors.flood import Flood
from vision.detectors.logging import Felling
from vision.frame import load
from vision.georeference import Unplaced
from vision.model import Detection
from vision.scene import Scene

OFF_M = 6.0
"""What is found may lie so far beside the truth: baselines lie where their own pose put them."""

LEAST_IN_VIEW_M2, LEAST_TRACK_M = 100.0, 20.0
_NOW = datetime(2026, 6, 1, 6, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Look:
    """One pair's outcome: what was found, or why nothing was said."""

    seed: int
    name: str
    found: tuple[Detection, ...]
    abstained: str | None


def flood(job: Job) -> Iterator[Row]:
    """Yield the rows of floods: recall, false alarms on rivers in their beds, the error of the extent."""
    seeds = gallery.QUICK_SEEDS if job.quick else gallery.SEEDS
    errors, missed, false, silent = [], 0, 0, 0
    with gallery.made("flood", seeds) as pictures:
        for seed in seeds:
            wet = look(Flood(), pictures[seed, "flood"], pictures[seed, "before"])
            dry = look(Flood(), pictures[seed, "bank"], pictures[seed, "bank_before"])
            (truth,) = pictures[seed, "flood"].changes
            found_m2 = sum(area_m2(d.ground) for d in wet.found if d.ground)
            missed += not wet.found
            false += bool(dry.found)
            silent += (wet.abstained is not None) + (dry.abstained is not None)
            if wet.found and truth.in_view_m2:
                errors.append(abs(found_m2 - truth.in_view_m2) / truth.in_view_m2)
            job.raw.write("flood", _told(wet, pictures[seed, "flood"].changes), _told(dry, ()))
    yield at_least("flood.recall", 1 - missed / len(seeds), 1.0, unit="synthetic", clock="none")
    yield at_most("flood.false_alarms", float(false), 0.0, unit="synthetic", clock="none")
    error = float(np.mean(errors)) if errors else 1.0
    yield at_most("flood.extent_error", error, 0.10, unit="synthetic", clock="none")
    yield measured("flood.abstained", float(silent), unit="of pictures", clock="none")


def logging(job: Job) -> Iterator[Row]:
    """Yield the rows of fellings: recall, precision, and the error of the area."""
    seeds = gallery.QUICK_SEEDS if job.quick else gallery.SEEDS
    hit = truths = right = told = silent = 0
    errors: list[float] = []
    strips = _Strips()
    with gallery.made("logging", seeds) as pictures:
        for seed in seeds:
            after = pictures[seed, "after"]
            seen = look(Felling(), after, pictures[seed, "before"])
            whole = [c for c in after.changes if c.in_view_m2 >= LEAST_IN_VIEW_M2]
            shapes = [_metres(d.ground) for d in seen.found if d.ground]
            covers = [_outline(c) for c in after.changes]
            hit += sum(any(_outline(c).buffer(OFF_M).intersects(s) for s in shapes) for c in whole)
            truths += len(whole)
            right += sum(any(s.intersects(c.buffer(OFF_M)) for c in covers) for s in shapes)
            told += len(shapes)
            silent += seen.abstained is not None
            in_view = sum(c.in_view_m2 for c in after.changes)
            if whole and shapes:
                found_m2 = sum(float(s.area) for s in shapes)
                errors.append(abs(found_m2 - in_view) / in_view)
            strips.judge(seen, after.changes)
            job.raw.write("logging", _told(seen, after.changes))
    yield at_least("logging.recall", hit / max(truths, 1), 0.95, unit="synthetic", clock="none")
    yield at_least("logging.precision", right / max(told, 1), 0.90, unit="synthetic", clock="none")
    error = float(np.mean(errors)) if errors else 1.0
    yield at_most("logging.area_error", error, 0.15, unit="synthetic", clock="none")
    yield measured("logging.abstained", float(silent), unit="of pictures", clock="none")
    yield from strips.rows()


@dataclass(slots=True)
class _Strips:
    """Tracks out of fellings: how many are there, found, told, told where one is, and how long they are."""

    there: int = 0
    found: int = 0
    told: int = 0
    right: int = 0
    off: list[float] = field(default_factory=list)

    def judge(self, seen: Look, changes: tuple[Change, ...]) -> None:
        """Count the tracks of one pair of pictures; a detection tells one of those it reaches."""
        told = [(_metres(d.ground).buffer(OFF_M), d.facts["track_m"]) for d in seen.found if _has_track(d)]
        there = [(_placed(c.track), c.track_in_view_m) for c in changes if c.track is not None]
        whole = [one for one in there if one[1] >= LEAST_TRACK_M]
        self.there += len(whole)
        self.found += sum(any(shape.intersects(way) for shape, _ in told) for way, _ in whole)
        self.told += len(told)
        for shape, told_m in told:
            reached = [seen_m for way, seen_m in there if shape.intersects(way)]
            self.right += bool(reached)
            if reached and isinstance(told_m, float):
                self.off.append(abs(told_m - sum(reached)) / max(sum(reached), 1.0))

    def rows(self) -> Iterator[Row]:
        """Yield recall, precision and the middle error of the length."""
        recall, precision = self.found / max(self.there, 1), self.right / max(self.told, 1)
        yield measured("logging.track_recall", recall, unit="synthetic", clock="none")
        yield measured("logging.track_precision", precision, unit="synthetic", clock="none")
        error = float(np.median(self.off)) if self.off else 1.0
        yield measured("logging.track_length_error", error, unit="synthetic", clock="none")


def _has_track(found: Detection) -> bool:
    return found.ground is not None and "track_m" in found.facts


def look(detector: Detector, today: Picture, before: Picture) -> Look:
    """Return what a detector says of a picture with an earlier one of the place as baseline."""
    site, terrain = gallery.place()
    scene = Scene(ground=terrain, baseline=baseline_of(before), references=site.layers, now=_NOW)
    found = detector.detect(load(today.path), scene)
    if isinstance(found, Abstained):
        return Look(today.seed, today.name, (), found.reason)
    return Look(today.seed, today.name, found, None)


def baseline_of(picture: Picture) -> Baseline:
    """Return the baseline that one picture makes."""
    _, terrain = gallery.place()
    chart = orthophoto.rectified(load(picture.path), terrain, pixel_m=0.2)
    assert not isinstance(chart, Unplaced), chart.reason
    return ChartBaseline(chart)


def _metres(area: Area | None) -> BaseGeometry:
    assert area is not None
    return LocalFrame(gallery.place()[0].origin).polygon(area).buffer(0)


def _placed(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape in degrees, longitude first, in local metres."""
    return LocalFrame(gallery.place()[0].origin).in_metres(shape)


def _outline(change: Change) -> BaseGeometry:
    """Return a truth's outline in local metres, its holes filled."""
    parts = getattr(change.outline, "geoms", [change.outline])
    return unary_union([_placed(Polygon(part.exterior)) for part in parts])


def _told(seen: Look, changes: tuple[Change, ...]) -> Mapping[str, Any]:
    return {
        "seed": seen.seed,
        "picture": seen.name,
        "abstained": seen.abstained,
        "found": [json.loads(json.dumps({"confidence": d.confidence, **d.facts})) for d in seen.found],
        "found_m2": [round(area_m2(d.ground), 1) for d in seen.found if d.ground],
        "truth": [{"id": c.id, "in_view_m2": c.in_view_m2} for c in changes],
    }
