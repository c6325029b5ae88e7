"""Rows `track.*`: simulated trucks and people, followed on the ground; synthetic.

The simulator writes what a flying camera reports, frame by frame, and what really moved. Identity is the
share of a mover's sightings that lie on the one track that is his (one-to-one, the best way round, as in
IDF1's recall), so a track that is lost and begun anew, or swapped with another's, costs. Speed is compared
with the true one over the last ten seconds of every mover.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from missions.errors import WorkFailed
from missions.measure import Job, Row, at_least, at_most, measured
from vision.following import Following, Sighting, follow

SEEDS, QUICK_SEEDS = "1-50", "1-3"
SETTLED_S = 10.0
Scene = dict[str, Any]


def rows(job: Job) -> Iterator[Row]:
    """Yield how often a sighting lies on its own mover's track, and how wrong speeds and headings are."""
    kept, sightings = 0, 0
    speeds: list[float] = []
    headings: list[float] = []
    for scene in _scenes(QUICK_SEEDS if job.quick else SEEDS):
        mine, all_of, off, turned = judged(scene)
        job.raw.write("track", {"seed": scene["seed"], "kept": mine, "of": all_of, "speed_errors": off})
        kept, sightings = kept + mine, sightings + all_of
        speeds += off
        headings += turned
    yield at_least("track.identity", kept / sightings, 0.95, unit="", clock="none", anchor="synthetic")
    yield at_most(
        "track.speed_error", float(np.mean(speeds)), 0.10, unit="", clock="none", anchor="synthetic"
    )
    yield measured("track.heading_error_deg", float(np.mean(headings)), unit="deg", clock="none")
    yield measured("track.movers", float(len(speeds)), unit="", clock="none")


def judged(scene: Scene) -> tuple[int, int, list[float], list[float]]:
    """Return sightings on their own tracks, all sightings, and the errors of speed (share) and heading."""
    known = {mover["id"]: mover for mover in scene["truth"]}
    counts: dict[tuple[str, int], int] = {}
    speeds: dict[str, list[float]] = {name: [] for name in known}
    headings: dict[str, list[float]] = {name: [] for name in known}
    state, total = Following(), 0
    until_s = scene["frames"][-1]["at_s"]
    for number, frame in enumerate(scene["frames"]):
        seen = [Sighting(s["kind"], s["east_m"], s["north_m"]) for s in frame["seen"]]
        state = follow(state, seen, frame["at_s"])
        tracks = {t.id: t for t in state.tracks}
        for sighting, track_id in zip(frame["seen"], state.given, strict=True):
            name = sighting["of"]
            if name is None:
                continue
            total += 1
            counts[name, track_id] = counts.get((name, track_id), 0) + 1
            if frame["at_s"] > until_s - SETTLED_S:
                true_speed, true_heading = known[name]["way"][number][:2]
                track = tracks[track_id]
                speeds[name].append(abs(track.speed_m_s - true_speed) / true_speed)
                if track.heading_deg is not None:
                    turn = (track.heading_deg - true_heading + 180) % 360 - 180
                    headings[name].append(abs(turn))
    return (
        _matched(counts),
        total,
        [float(np.mean(v)) for v in speeds.values() if v],
        [float(np.mean(v)) for v in headings.values() if v],
    )


def _matched(counts: dict[tuple[str, int], int]) -> int:
    """Return how many sightings lie on their own track when each mover owns one track at most."""
    names, ids = (sorted({key[i] for key in counts}) for i in (0, 1))
    table = np.zeros((len(names), len(ids)))
    for (name, track_id), many in counts.items():
        table[names.index(name), ids.index(track_id)] = many
    own = linear_sum_assignment(-table)
    return round(float(table[own].sum()))


def _scenes(seeds: str) -> list[Scene]:
    with tempfile.TemporaryDirectory(prefix="gridpatrol-movers-") as folder:
        drawn = subprocess.run(
            [sys.executable, "-m", "sim.movers", folder, "--seeds", seeds],
            capture_output=True,
            text=True,
            check=False,
        )
        if drawn.returncode:
            raise WorkFailed(f"the simulator could not move anything: {drawn.stderr.strip()[-300:]}")
        return [json.loads(path.read_text("utf-8")) for path in sorted(Path(folder).glob("*.json"))]
