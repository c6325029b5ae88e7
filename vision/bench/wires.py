"""Rows `wires.*`: real laser surveys of power lines, their classes taken as truth and shown to nobody.

The AHN tiles have every wire point classed (14), trees (5) and cranes (26) moved under the wires by
whoever made the set. Found wires are held to those points; each tree and crane within reach is held to
the nearest distance between its own points and the wire's, by brute force. The cable points are wires and
nothing else, so all of them must be found.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from missions.geo import Floats
from missions.measure import Job, Row, at_least, at_most, measured, skipped
from vision.lidar.clearance import near_wires
from vision.lidar.cloud import read
from vision.lidar.ground import ground_of
from vision.lidar.survey import survey, wires_of
from vision.lidar.wires import find_wires

WIRE, THINGS = 14, (5, 26)
WITHIN_M = 14.0
ONE_THING_M, LEAST_POINTS = 1.5, 20
_MISSING = "the shared laser surveys are not on this machine"


@dataclass(frozen=True, slots=True)
class Tile:
    """How one tile went: shares of wire points, seconds, and true and found distance of each thing."""

    name: str
    recall: float
    precision: float
    s_per_million: float
    things: tuple[tuple[float, float], ...]
    unclassed: tuple[tuple[float, float], ...]

    def error_m(self, *, unclassed: bool = False) -> float:
        """Return the largest difference between a true distance and the one found."""
        pairs = self.unclassed if unclassed else self.things
        return max((abs(found - true) for true, found in pairs), default=float("inf"))


def rows(job: Job) -> Iterator[Row]:
    """Yield how many wire points are found, how wrong the worst distance is, and the time it takes."""
    folder = data_folder()
    if folder is None:
        yield skipped("wires.recall", _MISSING, target="≥ 0.95")
        yield skipped("wires.clearance_error_m", _MISSING, target="≤ 0.2")
        yield skipped("wires.s_per_million", _MISSING, target="≤ 30")
        return
    paths = sorted((folder / "ahn_corridor").glob("*.laz"))
    tiles = [tile(path) for path in (paths[:1] if job.quick else paths)]
    cables = dict(cable_recalls(folder / "cable_points"))
    job.raw.write("wires", *(_event(t) for t in tiles), {"cable_points": cables})
    recalls = [t.recall for t in tiles] + [share for share, _ in cables.values()]
    yield at_least("wires.recall", min(recalls), 0.95, unit="", clock="none")
    yield measured("wires.precision", min(t.precision for t in tiles), unit="", clock="none")
    worst = max(t.error_m() for t in tiles)
    yield at_most("wires.clearance_error_m", worst, 0.2, unit="m", clock="none")
    bare = max(t.error_m(unclassed=True) for t in tiles)
    yield measured("wires.clearance_error_unclassed_m", bare, unit="m", clock="none")
    yield measured("wires.things", float(sum(len(t.things) for t in tiles)), unit="", clock="none")
    slowest = max(t.s_per_million for t in tiles)
    yield at_most("wires.s_per_million", slowest, 30.0, unit="s", clock="cpu")
    if cables:
        found = sum(wires for _, wires in cables.values())
        yield measured("wires.cables_found", float(found), unit="", clock="none", anchor="3 + 7 in the files")
    else:
        yield skipped("wires.cables_found", "reading the cable points needs pyarrow (extra bench)")


def tile(path: Path) -> Tile:
    """Return how one classed tile went; `s_per_million` is reading, finding and measuring together."""
    began = time.process_time()
    points = survey(path).points
    spent = time.process_time() - began
    cloud = read(path)
    assert cloud.classes is not None
    ground = ground_of(cloud.points_m)
    wires = wires_of(cloud, ground)
    is_wire, found = cloud.classes == WIRE, np.zeros(len(cloud), bool)
    for wire in wires:
        found[wire.points] = True
    measured_m = []
    for classes in (cloud.classes, None):
        near = near_wires(cloud.points_m, wires, ground, classes=classes)
        each = np.full(len(cloud), np.inf)
        each[near.points] = near.clearance_m
        measured_m.append(_things(cloud.points_m, cloud.classes, each))
    return Tile(
        path.name,
        float(found[is_wire].mean()),
        float(is_wire[found].mean()),
        spent / points * 1e6,
        *measured_m,
    )


def cable_recalls(folder: Path) -> Iterator[tuple[str, tuple[float, int]]]:
    """Yield for each file of bare cable points the share found and how many wires that is."""
    try:
        from pyarrow import parquet
    except ImportError:
        return
    for path in sorted(folder.glob("*.parquet")):
        table = parquet.read_table(path)
        points = np.column_stack([table[axis].to_numpy() for axis in ("x", "y", "z")])
        wires = find_wires(points, np.arange(len(points)))
        found = {i for wire in wires for i in wire.points.tolist()}
        yield path.stem, (len(found) / len(points), len(wires))


def data_folder() -> Path | None:
    """Return the folder of the shared laser surveys, None where this machine has none."""
    found = Path(os.environ.get("GRIDPATROL_SHARED_DATA", "../shared/data")) / "lidar"
    return found if (found / "ahn_corridor").is_dir() else None


def _things(
    points_m: Floats, classes: npt.NDArray[np.uint8], found_m: Floats
) -> tuple[tuple[float, float], ...]:
    """Return true and found distance of every tree and crane whose true one is within reach."""
    wire = cKDTree(points_m[classes == WIRE])
    pairs = []
    for kind in THINGS:
        members = np.flatnonzero(classes == kind)
        links = cKDTree(points_m[members, :2]).query_pairs(ONE_THING_M, output_type="ndarray")
        graph = sparse.coo_array((np.ones(len(links)), links.T), shape=(len(members),) * 2)
        _, label = connected_components(graph, directed=False)
        true_m, _ = wire.query(points_m[members], distance_upper_bound=WITHIN_M + 2)
        for number in range(label.max() + 1):
            own = label == number
            if own.sum() >= LEAST_POINTS and true_m[own].min() < WITHIN_M:
                pairs.append((float(true_m[own].min()), float(found_m[members[own]].min())))
    return tuple(pairs)


def _event(t: Tile) -> dict[str, Any]:
    return {
        "tile": t.name,
        "recall": t.recall,
        "precision": t.precision,
        "s_per_million": t.s_per_million,
        "true_and_found_m": t.things,
        "true_and_found_unclassed_m": t.unclassed,
    }
