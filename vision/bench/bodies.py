"""Rows `bodies.*`: warm bodies in simulated flights (synthetic), and people in HIT-UAV's pictures held out.

The simulator (`python -m sim.sights bodies`) flies two strips over animals, people, vehicles, warm rocks, a
stove, and sometimes a fire; odd seeds have animals. Recall and false alarms are of single pictures: a told
body is right where, once the picture is shifted as a whole within the error of its pose, a true one stands
within `APART_M`. Counts are of whole flights, as `gridpatrol inspect` prints them, and a count is inside
when the true number lies in its 90 % interval. `bodies.vehicles` are what `logging` tells as machinery when
all of the ground counts as forest. Told bodies that are people, vehicles or rocks are false for
wildlife: `bodies.told_people` says how many of them were people.
"""

import json
import math
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from missions.errors import WorkFailed
from missions.geo import Area, Floats, LatLon
from missions.layers import NamedArea, ReferenceLayers
from missions.measure import Job, Row, measured, skipped
from missions.model import Hazard
from missions.site import load_site
from missions.terrain import Terrain
from vision import counting, warm_pictures
from vision.bench.sights import VALLEY
from vision.detectors import runtime
from vision.detectors.warm_bodies import KINDS, SHIPPED
from vision.inspection import FrameResult, examine
from vision.looks import showing
from vision.scene import Scene
from vision.tangent import Scale

SEEDS, QUICK_SEEDS = "1-50", "1-1"
APART_M, SHIFT_M = 1.5, 12.0
WANTED = (Hazard.WILDLIFE, Hazard.PERSON)
NAMES = {Hazard.WILDLIFE: "bodies", Hazard.PERSON: "bodies.people", Hazard.LOGGING: "bodies.vehicles"}
HIT_UAV = Path("../shared/data/thermal/hit_uav")
Truth = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """One picture and hazard: true bodies in view, those found, and what else was told, by what it is."""

    there: int
    found: int
    wrong: Counter[str]


@dataclass(frozen=True, slots=True)
class Flight:
    """One flight: its truth, pictures that could be searched judged by hazard, others, the counts."""

    truth: Truth
    judged: dict[Hazard, list[Judged]]
    abstained: int
    counts: tuple[counting.Count, ...]


def rows(job: Job) -> Iterator[Row]:
    """Yield recall and false alarms of warm bodies, people and vehicles, and counts of the first two."""
    flights = _flown(QUICK_SEEDS if job.quick else SEEDS)
    job.raw.write("bodies", *(_event(flight) for flight in flights))
    for hazard, name in NAMES.items():
        seen = [j for flight in flights for j in flight.judged[hazard]]
        if there := sum(j.there for j in seen):
            yield measured(f"{name}.recall", sum(j.found for j in seen) / there, unit="", clock="none")
        false = sum(sum(j.wrong.values()) for j in seen) / max(len(seen), 1)
        yield measured(f"{name}.false_alarms", false, unit="/frame", clock="none")
        if hazard not in WANTED:
            continue
        inside = [_is_inside(f, hazard) for f in flights if any(c.hazard is hazard for c in f.counts)]
        yield measured(
            f"{name}.count_inside", sum(inside) / max(len(inside), 1), unit="of flights", clock="none"
        )
    told = sum(j.wrong["person"] for f in flights for j in f.judged[Hazard.WILDLIFE])
    yield measured("bodies.told_people", float(told), unit="", clock="none")
    pictures = sum(len(f.truth["files"]) for f in flights)
    yield measured(
        "bodies.abstained", sum(f.abstained for f in flights) / pictures, unit="of pictures", clock="none"
    )
    yield from _held_out()


def judged_in(folder: Path) -> list[Flight]:
    """Return every flight of a folder that the simulator wrote, searched and judged."""
    terrain = Terrain.open(load_site(VALLEY).terrain)
    return [_flight(path.parent, terrain) for path in sorted(folder.glob("*/truth.json"))]


def _flown(seeds: str) -> list[Flight]:
    with tempfile.TemporaryDirectory(prefix="gridpatrol-bodies-") as folder:
        drawn = subprocess.run(
            [sys.executable, "-m", "sim.sights", "bodies", folder, "--seeds", seeds],
            capture_output=True,
            text=True,
            check=False,
        )
        if drawn.returncode:
            raise WorkFailed(f"the simulator could not draw bodies: {drawn.stderr.strip()[-300:]}")
        return judged_in(Path(folder))


def _flight(folder: Path, terrain: Terrain) -> Flight:
    truth: Truth = json.loads((folder / "truth.json").read_text("utf-8"))
    results = [
        examine(folder / file, terrain=terrain, hazards=NAMES, with_trials=True, scene=_all_forest(terrain))
        for file in truth["files"].values()
    ]
    judged: dict[Hazard, list[Judged]] = {hazard: [] for hazard in NAMES}
    for number, result in enumerate(results):
        for hazard in NAMES:
            if hazard in result.searched or hazard is Hazard.LOGGING:
                judged[hazard].append(_judged(result, truth["bodies"], hazard, number * truth["between_s"]))
    abstained = sum(Hazard.WILDLIFE not in r.searched for r in results)
    return Flight(truth, judged, abstained, counting.counts(results, hazards=WANTED))


def _all_forest(terrain: Terrain) -> Scene:
    """Return a scene in which all of the ground is one forest compartment."""
    west, south, east, north = terrain.bounds
    ring = (LatLon(south, west), LatLon(south, east), LatLon(north, east), LatLon(north, west))
    wood = NamedArea("all", "compartment", {"en-US": "all"}, Area(ring))
    return Scene(references=ReferenceLayers(compartments=(wood,)))


def _judged(result: FrameResult, bodies: Sequence[Truth], hazard: Hazard, after_s: float) -> Judged:
    """Return what a picture's word on one hazard is worth."""
    assert result.footprint
    scale = Scale.at(result.footprint[0])
    true_m = np.array([_local(body, scale, after_s) for body in bodies]).reshape(-1, 2)
    told_m = np.array([scale.to_local(o.place) for o in result.observations if o.hazard is hazard]).reshape(
        -1, 2
    )
    shift = _shift(told_m, true_m)
    shows = showing(result.footprint)
    in_view = [shows(scale.to_place(float(x), float(y))) for x, y in true_m + shift]
    free = set(range(len(bodies)))
    found, wrong = 0, Counter[str]()
    for place in told_m - shift:
        near = sorted((math.dist(place, true_m[i]), i) for i in free)
        if not near or near[0][0] > APART_M:
            wrong["nothing"] += 1
            continue
        free.discard(near[0][1])
        body = bodies[near[0][1]]
        if _is_of(body, hazard):
            found += in_view[near[0][1]]
        else:
            wrong[body["kind"]] += 1
    there = sum(shown and _is_of(body, hazard) for shown, body in zip(in_view, bodies, strict=True))
    return Judged(there, found, wrong)


def _shift(told: Floats, true: Floats) -> Floats:
    """Return the shift of a whole picture under which most told places are true ones."""
    gaps = (told[:, None, :] - true[None, :, :]).reshape(-1, 2)
    best, most = np.zeros(2), 0
    for gap in sorted(gaps[np.hypot(*gaps.T) <= SHIFT_M], key=lambda g: math.hypot(*g)):
        apart = np.hypot(*((told - gap)[:, None, :] - true[None, :, :]).transpose(2, 0, 1))
        fits = int((apart.min(axis=1) <= APART_M).sum())
        if fits > most:
            best, most = gap, fits
    return best


def _local(body: Truth, scale: Scale, after_s: float) -> tuple[float, float]:
    east, north = scale.to_local(LatLon(body["lat_deg"], body["lon_deg"]))
    way, turn = body["speed_m_s"] * after_s, math.radians(body["heading_deg"])
    return east + way * math.sin(turn), north + way * math.cos(turn)


def _is_of(body: Truth, hazard: Hazard) -> bool:
    if hazard is Hazard.WILDLIFE:
        return bool(body["is_animal"])
    return bool(body["kind"] == ("person" if hazard is Hazard.PERSON else "vehicle"))


def _is_inside(flight: Flight, hazard: Hazard) -> bool:
    count = next(c for c in flight.counts if c.hazard is hazard)
    there = sum(_is_of(body, hazard) for body in flight.truth["bodies"])
    return count.low is not None and count.high is not None and count.low <= there <= count.high


def _held_out() -> Iterator[Row]:
    """Yield the people of HIT-UAV's pictures held out, where the pictures are at hand."""
    if not HIT_UAV.is_dir():
        yield skipped("bodies.hit_uav.recall", f"{HIT_UAV} is not here")
        return
    model = runtime.load(SHIPPED)
    _, pictures = warm_pictures.split(warm_pictures.read(HIT_UAV))
    scored = warm_pictures.answers(model, pictures)
    for kind in KINDS[:2]:
        number = KINDS.index(kind)
        recall, false, _ = warm_pictures.rates(scored, number, model.card.box[kind])
        yield measured(f"bodies.hit_uav.{kind}.recall", recall, unit="", clock="none")
        yield measured(f"bodies.hit_uav.{kind}.false_alarms", false, unit="/frame", clock="none")


def _event(flight: Flight) -> dict[str, Any]:
    return {
        "truth": flight.truth,
        "counts": [counting.to_json(count) for count in flight.counts],
        "abstained": flight.abstained,
        "judged": {
            hazard.value: [{"there": j.there, "found": j.found, "wrong": dict(j.wrong)} for j in seen]
            for hazard, seen in flight.judged.items()
        },
    }
