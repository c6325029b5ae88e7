"""Rows `routing.*`: 100,000 points and 100,000 ellipses against brute force (`api/bench/oracle.py`).

The ground is made from a seed and is nasty on purpose: 49 counties whose crooked borders are
shared corner by corner, a lake cut out of one in three and given to another agency, six line
corridors across all of them. A third of the points lie exactly on corners and on borders that
run due east or north; half of the ellipses lie so that they graze one.

A point is wrong when the answer differs at all. An ellipse is wrong when an agency is left out
that it meets, or one is told that it would not meet even if it were half a per cent larger: the
router draws a ring of 32 corners around each ellipse, and that is how far its corners stand out.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np

from api.bench.oracle import Bools, Edges, holds, meets
from api.routing import AROUND, Grounds, Places, route
from missions.geo import Area, Floats, LatLon
from missions.measure import Job, Row, at_least, at_most
from missions.model import Agency, Hazard, Severity, Subscription

MANY, QUICK = 100_000, 4_000
SEED = 20261122
SIDE = 7
LAT, LON, CELL = 30.0, 119.0, 0.0625  # cells of a sixteenth of a degree: exact in doubles
CHUNK = 1_000
BATCH = 64
"""As many as one group commit of the intake routes together."""


def rows(job: Job) -> Iterator[Row]:
    """Yield `routing.wrong` and `routing.per_s`."""
    rng = np.random.default_rng(SEED)
    agencies = country(rng)
    grounds = Grounds(agencies)
    many = QUICK if job.quick else MANY
    points, ellipses = some_points(rng, agencies, many), some_ellipses(rng, agencies, many)
    wrong = wrong_points(job, grounds, points) + wrong_ellipses(job, grounds, ellipses)
    yield at_most(
        "routing.wrong", wrong, 0, unit=f"of {2 * many}", clock="none", anchor="wrong side of a border"
    )
    decided, took_s = timed(grounds, ellipses)
    job.raw.write("routing.per_s", {"events": many, "decisions": decided, "batch": BATCH, "cpu_s": took_s})
    yield at_least("routing.per_s", many / took_s, 20_000, unit="1/s", clock="cpu")


def timed(grounds: Grounds, places: Places) -> tuple[int, float]:
    """Return (decisions, CPU seconds) of routing all places, batch by batch, each decision a value."""
    decided, began = 0, time.process_time()
    for first in range(0, len(places), BATCH):
        part = _slice(places, first, first + BATCH)
        for _, agency in zip(*grounds.touched(part), strict=True):
            route(
                grounds.agencies[agency],
                is_on_ground=True,
                hazard=Hazard.FIRE,
                severity=Severity.ORANGE,
                confidence=0.9,
            )
            decided += 1
    return decided, time.process_time() - began


def wrong_points(job: Job, grounds: Grounds, points: Places) -> int:
    """Return how many points are given to other agencies than by brute force."""
    expected = _by_agency(grounds, points, lambda edges, part: holds(edges, part.lon_deg, part.lat_deg))
    return _differences(job, "point", points, _answered(grounds, points), expected, expected)


def wrong_ellipses(job: Job, grounds: Grounds, ellipses: Places) -> int:
    """Return how many ellipses miss an agency they meet, or reach one that they do not."""
    at_least_these = _by_agency(grounds, ellipses, meets)
    at_most_these = _by_agency(grounds, ellipses, lambda e, part: meets(e, part, grown=AROUND + 1e-6))
    return _differences(job, "ellipse", ellipses, _answered(grounds, ellipses), at_least_these, at_most_these)


def country(rng: np.random.Generator) -> tuple[Agency, ...]:
    """Return agencies whose grounds share crooked borders, with holes and corridors across."""
    corner = _corners(rng)
    agencies = []
    for row in range(SIDE):
        for column in range(SIDE):
            ring = _ring(corner, row, column)
            lake = _lake(row, column) if (row + column) % 3 == 0 else None
            agencies.append(_agency(f"county-{row}-{column}", Area(ring, (lake,) if lake else ())))
            if lake:
                agencies.append(_agency(f"lake-{row}-{column}", Area(lake)))
    for number in range(6):
        agencies.append(_agency(f"line-{number}", _corridor(rng)))
    return tuple(agencies)


def some_points(rng: np.random.Generator, agencies: tuple[Agency, ...], many: int) -> Places:
    """Return points, a third of them exactly on corners and on straight borders."""
    lat, lon = _anywhere(rng, many)
    corners = np.array([(p.lat_deg, p.lon_deg) for a in agencies for g in a.jurisdiction for p in g.outer])
    on_corner = rng.integers(len(corners), size=many // 6)
    lat[: many // 6], lon[: many // 6] = corners[on_corner].T
    # Lakes have straight sides: any latitude along an eastern side is exactly on it.
    lakes = [a.jurisdiction[0].outer for a in agencies if a.id.startswith("lake")]
    for i in range(many // 6, many // 3):
        ring = lakes[rng.integers(len(lakes))]
        lat[i] = rng.uniform(ring[0].lat_deg, ring[2].lat_deg)
        lon[i] = ring[int(rng.integers(4))].lon_deg
    nothing = np.zeros(many)
    return Places(lat, lon, nothing, nothing, nothing)


def some_ellipses(rng: np.random.Generator, agencies: tuple[Agency, ...], many: int) -> Places:
    """Return ellipses of 1 to 500 m, half of them around a corner or a border."""
    lat, lon = _anywhere(rng, many)
    corners = np.array([(p.lat_deg, p.lon_deg) for a in agencies for g in a.jurisdiction for p in g.outer])
    near = rng.integers(len(corners), size=many // 2)
    lat[: many // 2], lon[: many // 2] = (corners[near] + rng.normal(0, 0.003, (many // 2, 2))).T
    major = np.exp(rng.uniform(0, np.log(500.0), many))
    minor = major * rng.uniform(0.05, 1.0, many)
    return Places(lat, lon, major, np.maximum(minor, 0.05), rng.uniform(0, 180, many))


def _answered(grounds: Grounds, places: Places) -> Bools:
    found = np.zeros((len(places), len(grounds.agencies)), dtype=bool)
    found[grounds.touched(places)] = True
    return found


def _by_agency(grounds: Grounds, places: Places, test: Callable[[Edges, Places], Bools]) -> Bools:
    edges = [[Edges(area) for area in agency.jurisdiction] for agency in grounds.agencies]
    found = np.zeros((len(places), len(edges)), dtype=bool)
    for first in range(0, len(places), CHUNK):
        part = _slice(places, first, first + CHUNK)
        for agency, areas in enumerate(edges):
            for area in areas:
                found[first : first + CHUNK, agency] |= test(area, part)
    return found


def _differences(job: Job, kind: str, places: Places, answered: Bools, least: Bools, most: Bools) -> int:
    bad = np.flatnonzero(((least & ~answered) | (answered & ~most)).any(axis=1))
    for i in bad:
        job.raw.write(
            "routing.wrong", {"kind": kind, **{n: float(getattr(places, n)[i]) for n in Places.__slots__}}
        )
    counts = {"kind": kind, "asked": len(places), "told": int(answered.sum()), "wrong": len(bad)}
    borders = int((answered.sum(axis=1) > 1).sum())
    job.raw.write("routing.wrong", {**counts, "told_to_several": borders})
    return len(bad)


def _slice(places: Places, first: int, end: int) -> Places:
    return Places(*(getattr(places, name)[first:end] for name in Places.__slots__))


def _anywhere(rng: np.random.Generator, many: int) -> tuple[Floats, Floats]:
    span = SIDE * CELL
    return rng.uniform(LAT - 0.02, LAT + span + 0.02, many), rng.uniform(LON - 0.02, LON + span + 0.02, many)


def _corners(rng: np.random.Generator) -> dict[tuple[int, int], list[tuple[float, float]]]:
    """Return the border pieces that start at each grid corner: to the east (0) and to the north (1)."""
    knot = {
        (r, c): (LAT + r * CELL + rng.normal(0, 0.006), LON + c * CELL + rng.normal(0, 0.006))
        for r in range(SIDE + 1)
        for c in range(SIDE + 1)
    }
    pieces: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for (r, c), begin in knot.items():
        for way, end in enumerate(((r, c + 1), (r + 1, c))):
            if end in knot:
                pieces[(r * 100 + c, way)] = _crooked(rng, begin, knot[end])
    return pieces


def _crooked(
    rng: np.random.Generator, a: tuple[float, float], b: tuple[float, float]
) -> list[tuple[float, float]]:
    """Return a border from a to b by some bends, so small that borders never cross."""
    steps = np.linspace(0, 1, 9)[1:-1]
    bends = [tuple(np.add(a, np.subtract(b, a) * s) + rng.normal(0, 0.0008, 2)) for s in steps]
    return [a, *((float(y), float(x)) for y, x in bends), b]


def _ring(
    pieces: dict[tuple[int, int], list[tuple[float, float]]], row: int, column: int
) -> tuple[LatLon, ...]:
    south, east = pieces[row * 100 + column, 0], pieces[row * 100 + column + 1, 1]
    north, west = pieces[(row + 1) * 100 + column, 0][::-1], pieces[row * 100 + column, 1][::-1]
    corners = [*south[:-1], *east[:-1], *north[:-1], *west[:-1]]
    return tuple(LatLon(lat, lon) for lat, lon in corners)


def _lake(row: int, column: int) -> tuple[LatLon, ...]:
    south, west = LAT + (row + 0.375) * CELL, LON + (column + 0.375) * CELL
    north, east = south + CELL / 4, west + CELL / 4
    return (LatLon(south, west), LatLon(south, east), LatLon(north, east), LatLon(north, west))


def _corridor(rng: np.random.Generator) -> Area:
    """Return a strip about 200 m wide from one side of the country to the other."""
    span = SIDE * CELL
    south, north = (LAT + rng.uniform(0.05, span - 0.05) for _ in range(2))
    half = 0.001
    corners = (
        (south - half, LON),
        (north - half, LON + span),
        (north + half, LON + span),
        (south + half, LON),
    )
    return Area(tuple(LatLon(lat, lon) for lat, lon in corners))


def _agency(name: str, area: Area) -> Agency:
    wants = (Subscription(frozenset({Hazard.FIRE}), Severity.YELLOW),)
    return Agency(name, {"en-US": name}, "en-US", (area,), wants)
