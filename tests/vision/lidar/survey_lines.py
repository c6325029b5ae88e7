"""A small surveyed power line: two spans over rolling ground, a tower, a tree, a crane, a house."""

from dataclasses import dataclass
from pathlib import Path

import laspy
import numpy as np
import pyproj

from missions.geo import Floats

ORIGIN = np.array([228_000.0, 578_000.0, 5.0])
CONSTANT_M, LOW_M, SPAN_M = 1200.0, 14.0, 200.0
TREE_TOP_M = 11.0
GROUND, TREE, HOUSE, WIRE, TOWER, CRANE = 2, 5, 6, 14, 15, 26


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Points from `ORIGIN` and their classes."""

    points_m: Floats
    classes: np.ndarray


def line(seed: int = 1, *, sway_m: float = 0.0) -> Line:
    """Return the line: three wires a span, along the first axis, turning 25° at the tower."""
    rng = np.random.default_rng(seed)
    parts = [(_ground(rng), GROUND), (_tower(rng), TOWER), (_tree(rng), TREE), (_crane(rng), CRANE)]
    for turn_deg, sign in ((0.0, -1.0), (25.0, 1.0)):
        for across in (-5.0, 0.0, 5.0):
            parts.append((_wire(rng, across, turn_deg, sign, sway_m), WIRE))
    points = np.concatenate([p for p, _ in parts])
    classes = np.concatenate([np.full(len(p), c) for p, c in parts])
    return Line(points, classes.astype(np.uint8))


def tree_gap_m() -> float:
    """Return how far the tree's top is from the wire above it."""
    return LOW_M - TREE_TOP_M


def write(
    path: Path, line: Line, *, crs: str | None = None, unit_m: float = 1.0, classed: bool = True
) -> Path:
    """Write a LAS or LAZ file."""
    header = laspy.LasHeader(point_format=6, version="1.4")
    header.scales, header.offsets = np.full(3, 0.001), np.floor(ORIGIN / unit_m)
    if crs:
        header.add_crs(pyproj.CRS.from_user_input(crs))
    las = laspy.LasData(header)
    las.x, las.y, las.z = ((line.points_m + ORIGIN) / unit_m).T
    las.classification = line.classes if classed else np.ones_like(line.classes)
    las.write(path)
    return path


def _ground(rng: np.random.Generator) -> Floats:
    level = rng.uniform((-205, -40), (205, 110), (16_000, 2))
    return np.column_stack([level, 0.6 * np.sin(level[:, 0] / 40) + rng.normal(0, 0.03, len(level))])


def _wire(rng: np.random.Generator, across: float, turn_deg: float, sign: float, sway_m: float) -> Floats:
    s = rng.uniform(2.0, SPAN_M - 2.0, 700)
    z = LOW_M + CONSTANT_M * (np.cosh((s - SPAN_M / 2) / CONSTANT_M) - 1)
    t = across + sway_m * 4 * s * (SPAN_M - s) / SPAN_M**2
    turn = np.radians(turn_deg)
    east, north = sign * s * np.cos(turn) - t * np.sin(turn), s * np.sin(turn) + t * np.cos(turn)
    return np.column_stack([east, north, z]) + rng.normal(0, 0.03, (len(s), 3))


def _tower(rng: np.random.Generator) -> Floats:
    body = np.column_stack([rng.normal(0, 0.5, (600, 2)), rng.uniform(0, 22, 600)])
    arm = np.column_stack([rng.normal(0, 0.2, 200), rng.uniform(-6, 6, 200), rng.normal(19, 0.1, 200)])
    return np.concatenate([body, arm])


def _tree(rng: np.random.Generator) -> Floats:
    """A crown below the lowest part of the middle wire of the first span, its top one point."""
    crown = rng.normal(0, 1.0, (1500, 3)) * [1.5, 1.5, 2.0] + [-SPAN_M / 2, 0.0, 6.0]
    crown = crown[crown[:, 2] < TREE_TOP_M - 0.3]
    tip = [[-SPAN_M / 2, 0.0, TREE_TOP_M], [-SPAN_M / 2, 0.1, TREE_TOP_M - 0.1]]
    return np.concatenate([crown, tip])


def _crane(rng: np.random.Generator) -> Floats:
    share = rng.uniform(0, 1, 400)[:, None]
    foot, head = np.array([100.0, 20.0, 0.5]), np.array([92.0, 38.0, 10.0])
    return foot + share * (head - foot) + rng.normal(0, 0.15, (400, 3))
