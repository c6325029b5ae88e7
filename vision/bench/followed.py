"""Rows `follow.*`: somebody moves in simulated thermal pictures, is found and tracked; synthetic.

The simulator (`python -m sim.sights moving`) writes the pictures of a drone that stands in the air over a
power line's track, where a walker or a car goes by (odd seeds) or stands (even ones). They are searched as a
drone's, and the tracks are those that `gridpatrol inspect` prints. A flight counts as found when a track of
its kind ends within `NEAR_M` of where the mover then was.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from missions.errors import WorkFailed
from missions.geo import LatLon, distance_m, moved
from missions.layers import ReferenceLayers
from missions.measure import Job, Row, measured
from missions.model import Hazard
from missions.site import load_site
from vision import moving
from vision.bench.sights import VALLEY
from vision.inspection import inspect
from vision.moving import Moved
from vision.scene import Scene

SEEDS, QUICK_SEEDS = "1-24", "4-5"
NEAR_M = 12.0
Truth = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Followed:
    """One flight: its truth, how many pictures showed the mover, and the mover's longest track."""

    truth: Truth
    shown: int
    track: Moved | None


def rows(job: Job) -> Iterator[Row]:
    """Yield how often movers are found, said to move, and how well; how often what stands is."""
    flights = _flown(QUICK_SEEDS if job.quick else SEEDS)
    job.raw.write("follow", *(_event(flight) for flight in flights))
    for kind in ("person", "vehicle"):
        mine = [f for f in flights if f.truth["kind"] == kind]
        if not mine:
            continue
        pictures = sum(len(f.truth["files"]) for f in mine)
        yield _share(f"follow.{kind}.in_pictures", sum(f.shown for f in mine), pictures)
        yield _share(f"follow.{kind}.found", sum(f.track is not None for f in mine), len(mine))
        going = [f for f in mine if f.truth["speed_m_s"] and f.track]
        told = [(f.truth, f.track) for f in going if f.track and f.track.heading_deg is not None]
        yield _share(f"follow.{kind}.said_to_go", len(told), len(going))
        stand = [f for f in mine if not f.truth["speed_m_s"] and f.track]
        wrongly = sum(f.track is not None and f.track.heading_deg is not None for f in stand)
        yield _share(f"follow.{kind}.stands_said_to_go", wrongly, len(stand))
        if told:
            off = [abs(track.speed_m_s / truth["speed_m_s"] - 1) for truth, track in told]
            turned = [abs(_turn(track.heading_deg, truth["heading_deg"])) for truth, track in told]
            yield measured(f"follow.{kind}.speed_error", float(np.mean(off)), unit="", clock="none")
            yield measured(
                f"follow.{kind}.heading_error_deg", float(np.mean(turned)), unit="deg", clock="none"
            )


def followed(folder: Path, known: ReferenceLayers, terrain: str) -> Followed:
    """Return what the pictures of one flight, as the simulator wrote them, show of its mover."""
    truth: Truth = json.loads((folder / "truth.json").read_text("utf-8"))
    files = [folder / file for file in truth["files"].values()]
    sought = [Hazard.PERSON, Hazard.INTRUSION]
    seen = inspect(files, dem=terrain, hazards=sought, scene=Scene(references=known))
    began_at = min(r.shot.taken_at for r in seen.frames if r.shot and r.shot.taken_at)
    mine = [t for t in moving.tracks(seen.frames) if t.kind == truth["kind"] and _is_it(t, truth, began_at)]
    shown = sum(any(d.kind == truth["kind"] for d in r.detections) for r in seen.frames)
    return Followed(truth, shown, max(mine, key=lambda t: t.sightings, default=None))


def _flown(seeds: str) -> list[Followed]:
    site = load_site(VALLEY)
    with tempfile.TemporaryDirectory(prefix="gridpatrol-moving-") as out:
        drawn = subprocess.run(
            [sys.executable, "-m", "sim.sights", "moving", out, "--seeds", seeds],
            capture_output=True,
            text=True,
            check=False,
        )
        if drawn.returncode:
            raise WorkFailed(f"the simulator could not draw movers: {drawn.stderr.strip()[-300:]}")
        folders = sorted(path.parent for path in Path(out).glob("*/truth.json"))
        return [followed(folder, site.layers, site.terrain) for folder in folders]


def _is_it(track: Moved, truth: Truth, began_at: datetime) -> bool:
    after_s = (track.seen_at - began_at).total_seconds()
    start = LatLon(truth["lat_deg"], truth["lon_deg"])
    there = moved(start, truth["heading_deg"], truth["speed_m_s"] * after_s)
    return distance_m(track.place, there) <= NEAR_M


def _turn(one_deg: float | None, other_deg: float) -> float:
    return ((one_deg or 0.0) - other_deg + 180.0) % 360.0 - 180.0


def _share(name: str, part: int, of: int) -> Row:
    return measured(name, part / of if of else 0.0, unit=f"of {of}", clock="none")


def _event(flight: Followed) -> Truth:
    track = moving.to_json(flight.track) if flight.track else None
    return {"truth": flight.truth, "shown": flight.shown, "track": track}
