"""Row `growth`: whether a fire front is, half an hour ahead, inside the interval that was told.

The fires are simulated by Huygens' principle: every point of the edge is the start of a small elliptic
fire, stretched downwind (Richards 1990), with gusts that make the speed wander over a quarter of an
hour and a wind that turns. Drones look at them two to five times, some minutes apart, and see the whole
edge shifted by the error of a place and roughened besides. What is judged knows of none of this.
"""

import math
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
from shapely.geometry import Point, Polygon

from missions.geo import Area, Floats
from missions.measure import Job, Row, at_least, measured
from vision.bench import truth
from vision.growth import Extent, measure
from vision.model import Ellipse

AHEAD_S = 1800.0
_FIRES = 400
_MARKERS = 96
_DT_S = 20.0
_PLACE_M = 4.0  # one deviation each way of a place: see single.rmse_m
_EDGE_M = 1.5


def rows(job: Job) -> Iterator[Row]:
    """Yield the share of fronts inside their 90 % interval 30 minutes ahead, and how wide that was."""
    rng = np.random.default_rng(84)
    inside, width, run = [], [], []
    for n in range(_FIRES // (8 if job.quick else 1)):
        outcome = _one(rng)
        if outcome is None:
            continue
        true_m, now_m, low_m, high_m = outcome
        inside.append(low_m <= true_m <= high_m)
        width.append((high_m - low_m) / 2)
        run.append(true_m - now_m)
        job.raw.write(
            "growth", {"fire": n, "true_m": true_m, "now_m": now_m, "low_m": low_m, "high_m": high_m}
        )
    yield at_least("growth.interval_inside", float(np.mean(inside)), 0.85, unit="", clock="simulated")
    yield measured("growth.half_width_m", float(np.mean(width)), unit="m", clock="simulated")
    yield measured("growth.front_run_m", float(np.mean(run)), unit="m", clock="simulated")


def _one(rng: np.random.Generator) -> tuple[float, float, float, float] | None:
    """Return the head's true distance in 30 minutes, its distance now, and the interval told."""
    begins, every = rng.uniform(300, 900), rng.uniform(300, 900)
    times = [begins + i * every * rng.uniform(0.7, 1.3) for i in range(int(rng.integers(2, 6)))]
    times = sorted(times)
    edges = _burn(rng, [*times, times[-1] + AHEAD_S])
    growth = measure([_seen(rng, edge, at) for edge, at in zip(edges[:-1], times, strict=True)])
    if growth is None:
        return None
    head = growth.head
    _, low, high = head.after(AHEAD_S)
    middle = np.array(truth.FRAME.to_local(growth.middle))
    along = np.array([math.sin(math.radians(head.bearing_deg)), math.cos(math.radians(head.bearing_deg))])
    return _reach(edges[-1], middle, along), _reach(edges[-2], middle, along), low, high


def _burn(rng: np.random.Generator, times: list[float]) -> list[Floats]:
    """Return the true edge (rows of east, north) at each time."""
    turn = np.linspace(0, 2 * math.pi, _MARKERS, endpoint=False)
    edge = rng.uniform(5, 20) * np.column_stack([np.sin(turn), np.cos(turn)])
    usual, blows = math.exp(rng.uniform(math.log(0.03), math.log(0.5))), rng.uniform(0, 2 * math.pi)
    narrow = rng.uniform(0.25, 0.6)
    gust = veer = at = 0.0
    found = []
    for until in times:
        while at < until:
            keep = math.exp(-_DT_S / 900.0)
            gust = keep * gust + math.sqrt(1 - keep**2) * 0.25 * rng.normal()
            keep = math.exp(-_DT_S / 1800.0)
            veer = keep * veer + math.sqrt(1 - keep**2) * math.radians(10) * rng.normal()
            edge = _spread(edge, usual * math.exp(gust), blows + veer, narrow)
            at += _DT_S
        found.append(edge)
    return found


def _spread(edge: Floats, speed: float, blows: float, narrow: float) -> Floats:
    """Return the edge a step later: each marker moves outwards as an elliptic fire's edge would there."""
    ahead = np.roll(edge, -1, axis=0) - np.roll(edge, 1, axis=0)
    out = np.column_stack([-ahead[:, 1], ahead[:, 0]])
    out /= np.maximum(np.hypot(out[:, 0], out[:, 1]), 1e-9)[:, None]
    downwind = np.array([math.sin(blows), math.cos(blows)])
    across = np.array([downwind[1], -downwind[0]])
    # An ellipse of half axes a (downwind) and b (across), its middle c ahead of where it was lit.
    a, b, c = speed / 1.8, speed / 1.8 * narrow, speed * 0.8 / 1.8
    along, side = out @ downwind, out @ across
    pace = np.sqrt((a * along) ** 2 + (b * side) ** 2)
    pace = np.maximum(pace, 1e-9)
    moved = ((a * a * along / pace + c)[:, None] * downwind) + ((b * b * side / pace)[:, None] * across)
    return _evened(edge + moved * _DT_S)


def _evened(edge: Floats) -> Floats:
    """Return the edge with its markers evenly spaced again, crossings taken out."""
    shape = Polygon(edge).buffer(0)
    if shape.geom_type != "Polygon":
        shape = max(shape.geoms, key=lambda part: part.area)
    ring = shape.exterior
    points = [ring.interpolate(ring.length * i / _MARKERS) for i in range(_MARKERS)]
    even = np.array([(p.x, p.y) for p in points])
    twice = float(np.dot(even[:, 0], np.roll(even[:, 1], -1)) - np.dot(even[:, 1], np.roll(even[:, 0], -1)))
    return even if twice < 0 else even[::-1]


def _seen(rng: np.random.Generator, edge: Floats, at_s: float) -> Extent:
    """Return the edge as one look shows it."""
    shift = rng.normal(size=2) * _PLACE_M
    rough = edge + shift + rng.normal(size=edge.shape) * _EDGE_M
    places = tuple(truth.FRAME.to_place(float(e), float(n)) for e, n in rough[::2])
    ellipse = Ellipse(_PLACE_M * math.sqrt(5.991), _PLACE_M * math.sqrt(5.991), 0.0)
    return Extent(truth.BEGAN_AT + timedelta(seconds=at_s), (Area(places),), ellipse)


def _reach(edge: Floats, middle: Floats, along: Floats) -> float:
    """Return how far the true edge lies from the middle along a direction, by walking outwards."""
    shape = Polygon(edge).buffer(0)
    far = 0.0
    for step in np.arange(0.0, 6000.0, 1.0):
        if shape.contains(Point(*(middle + along * step))):
            far = float(step)
        elif step > far + 300.0:
            break
    return far
