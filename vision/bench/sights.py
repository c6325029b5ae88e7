"""Rows `discharge.*`, `tree_health.*`, `burning.*`, `foreign_object.*`: synthetic looks, half of them empty.

A process of the simulator (`python -m sim.sights`) draws the looks and writes their truth; what is measured
here reads the files as it would a drone's. A look of several files (both eyes) counts as found when any of
them shows the thing, and as a false alarm when any of them shows one where there is none. Detections
below `LEAST_CONFIDENCE`, of which no agency is told, are not counted either way.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from missions.errors import WorkFailed
from missions.geo import Area, LatLon
from missions.layers import NamedArea, Outfall, ReferenceLayers
from missions.measure import Job, Row, at_least, at_most, measured
from missions.model import LEAST_CONFIDENCE, Hazard
from missions.site import load_site
from missions.terrain import Terrain
from vision import orthophoto
from vision.baselines.single import ChartBaseline
from vision.chart import Chart
from vision.frame import load
from vision.inspection import FrameResult, examine
from vision.model import Detection
from vision.scene import Scene

SEEDS, QUICK_SEEDS = (1, 50), (1, 4)
VALLEY = Path("examples/valley/site.yaml")
Truth = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """One look: its truth, what was found in it, and the files that could not be searched."""

    truth: Truth
    found: tuple[Detection, ...]
    unsearched: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return int(self.truth["seed"]) % 2 == 0


def discharge(job: Job) -> Iterator[Row]:
    """Yield the shares of plumes found and of rivers without one told of, and how well they are measured."""
    looks = _looks("discharge", Hazard.DISCHARGE, job)
    yield from _shares("discharge", looks, job)
    warm = [
        abs(warmer - seen.truth["plume"]["warmer_k"])
        for seen in looks
        for d in seen.found
        if not seen.is_empty and isinstance(warmer := d.facts.get("warmer_k"), float)
        if seen.truth["plume"]["warmer_k"] > 0
    ]
    if warm:
        yield measured("discharge.warmer_error_k", sum(warm) / len(warm), unit="K", clock="none")


def tree_health(job: Job) -> Iterator[Row]:
    """Yield the shares of woods with dead crowns found and of sound ones told of, and the count's error."""
    looks = _looks("tree_health", Hazard.TREE_HEALTH, job)
    yield from _shares("tree_health", looks, job)
    died = [(len(seen.truth["died"]), len(seen.found)) for seen in looks if not seen.is_empty]
    off = sum(abs(found - true) for true, found in died) / max(sum(true for true, _ in died), 1)
    yield measured("tree_health.count_error", off, unit="", clock="none")


def burning(job: Job) -> Iterator[Row]:
    """Yield the shares of straw fires found and of fields without one told of."""
    yield from _shares("burning", _looks("burning", Hazard.BURNING, job), job)


def foreign_object(job: Job) -> Iterator[Row]:
    """Yield the shares of film near a line found and of pictures without any told of."""
    yield from _shares("foreign_object", _looks("foreign_object", Hazard.FOREIGN_OBJECT, job), job)


def _shares(name: str, looks: list[Seen], job: Job) -> Iterator[Row]:
    job.raw.write(name, *(_event(seen) for seen in looks))
    full, empty = [s for s in looks if not s.is_empty], [s for s in looks if s.is_empty]
    recall = sum(bool(s.found) for s in full) / len(full)
    false = sum(bool(s.found) for s in empty) / len(empty)
    yield at_least(f"{name}.recall", recall, 0.90, unit="", clock="none", anchor="synthetic")
    yield at_most(f"{name}.false_alarms", false, 0.05, unit="", clock="none", anchor="synthetic")
    unseen = sum(len(s.unsearched) == len(s.truth["files"]) for s in looks)
    yield measured(f"{name}.not_searched", float(unseen), unit="", clock="none")


def _looks(topic: str, hazard: Hazard, job: Job) -> list[Seen]:
    """Return every look of a topic, searched."""
    first, last = QUICK_SEEDS if job.quick else SEEDS
    with tempfile.TemporaryDirectory(prefix="gridpatrol-sights-") as folder:
        out = Path(folder)
        drawn = subprocess.run(
            [sys.executable, "-m", "sim.sights", topic, str(out), "--seeds", f"{first}-{last}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if drawn.returncode:
            raise WorkFailed(f"the simulator could not draw {topic}: {drawn.stderr.strip()[-300:]}")
        return searched(out, hazard)


def searched(folder: Path, hazard: Hazard) -> list[Seen]:
    """Return every look of a folder that the simulator wrote, searched for a hazard."""
    site = load_site(VALLEY)
    terrain = Terrain.open(site.terrain)
    known = with_references(site.layers, json.loads((folder / "references.json").read_text("utf-8")))
    see = partial(examine, terrain=terrain, hazards=[hazard], with_trials=True)
    return [_seen(path.parent, see, known, terrain) for path in sorted(folder.glob("*/truth.json"))]


def _seen(folder: Path, see: Callable[..., FrameResult], known: ReferenceLayers, terrain: Terrain) -> Seen:
    truth: Truth = json.loads((folder / "truth.json").read_text("utf-8"))
    files = dict(truth["files"])
    scene = Scene(references=known)
    if "before" in files:
        scene = replace(scene, baseline=_baseline(folder / files.pop("before"), terrain))
    results = [see(folder / file, scene=scene) for file in files.values()]
    found = tuple(d for r in results for d in r.detections if d.confidence >= LEAST_CONFIDENCE)
    unsearched = tuple(r.note or "" for r in results if not r.searched)
    return Seen(truth | {"files": files}, found, unsearched)


def _baseline(picture: Path, terrain: Terrain) -> ChartBaseline | None:
    chart = orthophoto.rectified(load(picture), terrain)
    return ChartBaseline(chart) if isinstance(chart, Chart) else None


def with_references(layers: ReferenceLayers, said: dict[str, Any]) -> ReferenceLayers:
    """Return the site's layers with the outfalls and fields that somebody listed."""
    return replace(
        layers,
        outfalls=tuple(
            Outfall(row["id"], {"en-US": row["id"]}, LatLon(row["lat_deg"], row["lon_deg"]))
            for row in said.get("outfalls", ())
        ),
        fields=tuple(
            NamedArea(row["id"], "field", {"en-US": row["id"]}, Area(tuple(LatLon(*p) for p in row["ring"])))
            for row in said.get("fields", ())
        ),
    )


def _event(seen: Seen) -> dict[str, Any]:
    return {
        "truth": seen.truth,
        "found": [{"confidence": d.confidence, "kind": d.kind, "facts": dict(d.facts)} for d in seen.found],
        "unsearched": seen.unsearched,
    }
