"""Public routing problems as ours, so that what plans flights can be held to best known values.

* **mdvrp**, Cordeau's format: `type m n t`, then t depots' `D Q` (longest tour, service
  included, 0 for none; capacity), then customers `i x y service demand ...`, then depots.
* **top**, Chao's format: `n`, `m` and `tmax`, then `x y score`; the first point is the
  start, the last the end.
* **carp**, DIMACS-like: nodes, edges, then `u v cost demand` for each edge, then
  vehicles, capacity and the bounds; node 0 is the depot.
"""

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import cdist

from missions.errors import InputWrong
from missions.geo import Floats
from missions.routing.problem import Fleet, Job, Problem, Tour, Whole

# Lengths are counted in ten-thousandths, so that rounding hides nothing a table of values shows.
MDVRP_UNIT = 10_000
TOP_UNIT = 100_000

# A point of score is worth this much length, counted in tenths: flying less only breaks ties.
TOP_SCORE, TOP_LENGTH_UNIT = 200, 10

# Best known lengths are written down to two places.
HALF_A_DIGIT = 0.005

# Tours beyond the fewest that the loads need.
CARP_SPARE_TOURS = 3


@dataclass(frozen=True, slots=True)
class Instance:
    """A public problem: ours of it, its best known value, and how to value an answer."""

    name: str
    kind: str
    problem: Problem
    best_known: float
    unit: float
    scores: tuple[float, ...] = ()
    # What each node is called in the instance's own file.
    labels: tuple[str, ...] = ()

    def value(self, tours: tuple[Tour, ...]) -> float:
        """Return the length of the tours, or for team orienteering the score they collect."""
        if self.scores:
            return float(sum(self.scores[node] for tour in tours for node in tour.nodes))
        arcs = self.problem.energy
        stops = [
            [self.problem.fleets[t.fleet].start, *t.nodes, self.problem.fleets[t.fleet].end] for t in tours
        ]
        return float(sum(int(arcs[0][a[:-1], a[1:]].sum()) for a in stops) / self.unit)

    def written(self, tours: tuple[Tour, ...]) -> list[list[str]]:
        """Return each tour as the instance's own file calls its stops, from its start to its end."""
        fleets = self.problem.fleets
        return [
            [self.labels[n] for n in (fleets[t.fleet].start, *t.nodes, fleets[t.fleet].end)] for t in tours
        ]

    @property
    def known_cost(self) -> float:
        """The cost at which an answer is as good as the best known value is written down; none for scores."""
        return -math.inf if self.scores else math.floor((self.best_known + HALF_A_DIGIT) * self.unit)

    def gap(self, value: float) -> float:
        """Return how much worse than the best known value this is, as a fraction of it."""
        if self.best_known == 0:
            return 0.0 if value >= 0 else 1.0
        worse = self.best_known - value if self.scores else value - self.best_known
        return worse / self.best_known


def read_folder(folder: Path) -> Iterator[Instance]:
    """Yield the instances of a folder, by name; best known values are in its `best_known.csv`.

    Raises:
        InputWrong: the folder has no such file, or a file is not of one of the three formats.
    """
    table = folder / "best_known.csv"
    if not table.is_file():
        raise InputWrong(f"{table}: not found; a folder of instances holds instance,...,best_known in it")
    with table.open() as file:
        known = {row["instance"]: float(row["best_known"].split()[0]) for row in csv.DictReader(file)}
    for path in sorted((*folder.glob("*.txt"), *folder.glob("*.dat"))):
        if path.stem in known:
            yield read(path, known[path.stem])


def read(path: Path, best_known: float) -> Instance:
    """Return the instance of a file.

    Raises:
        InputWrong: it is of none of the three formats.
    """
    words = path.read_text().split()
    try:
        if path.suffix == ".dat":
            return _carp(path.stem, words, best_known)
        if words[0] == "n":
            return _top(path.stem, words, best_known)
        return _mdvrp(path.stem, path.read_text().splitlines(), best_known)
    except (ValueError, IndexError) as error:
        raise InputWrong(f"{path}: not an instance of mdvrp, top or carp ({error})") from error


def _mdvrp(name: str, lines: list[str], best_known: float) -> Instance:
    rows = [[float(word) for word in line.split()] for line in lines if line.strip()]
    kind, per_depot, customers, depots = (int(x) for x in rows[0][:4])
    if kind != 2 or len(rows) != 1 + depots + customers + depots:
        raise ValueError(f"type {kind} with {len(rows)} lines")
    limits, visits = rows[1 : 1 + depots], rows[1 + depots : 1 + depots + customers]
    at = np.array([row[1:3] for row in (*rows[1 + depots + customers :], *visits)])
    service = np.array([0.0] * depots + [row[3] for row in visits])
    length = _rounded(cdist(at, at) * MDVRP_UNIT)
    fleets = tuple(
        Fleet(d, d, per_depot, round(longest * MDVRP_UNIT) or None, None, (round(most),))
        for d, (longest, most) in enumerate(row[:2] for row in limits)
    )
    # Leaving a customer out is dearer than any tour for it alone.
    prize = 4 * int(length.max())
    jobs = tuple(Job((depots + k,), prize, (round(row[4]),)) for k, row in enumerate(visits))
    time = length + _rounded(service * MDVRP_UNIT)[None, :]
    return Instance(
        name,
        "mdvrp",
        Problem(depots, fleets, jobs, (time,), (length,), 0, 1),
        best_known,
        MDVRP_UNIT,
        labels=(*(f"depot {d + 1}" for d in range(depots)), *(f"{row[0]:.0f}" for row in visits)),
    )


def _top(name: str, words: list[str], best_known: float) -> Instance:
    count, tours, most = int(words[1]), int(words[3]), float(words[5])
    table = np.array([float(word) for word in words[6:]]).reshape(count, 3)
    order = [0, count - 1, *range(1, count - 1)]  # the two depots first
    at, scores = table[order, :2], table[order, 2]
    length = cdist(at, at)
    jobs = tuple(Job((2 + k,), round(TOP_SCORE * x), must=False) for k, x in enumerate(scores[2:]))
    problem = Problem(
        2,
        (Fleet(0, 1, tours, int(most * TOP_UNIT + 1e-3)),),
        jobs,
        (_rounded(length * TOP_UNIT),),
        (_rounded(length * TOP_LENGTH_UNIT),),
        0,
        1,
    )
    labels = tuple(f"point {k}" for k in order)
    return Instance(name, "top", problem, best_known, TOP_UNIT, tuple(float(s) for s in scores), labels)


def _carp(name: str, words: list[str], best_known: float) -> Instance:
    numbers = [int(word) for word in words if re.fullmatch(r"-?\d+", word)]
    nodes, edges = numbers[:2]
    table = np.array(numbers[2 : 2 + 4 * edges]).reshape(edges, 4)
    capacity = numbers[2 + 4 * edges + 1]
    u, v, cost, demand = table.T
    roads = coo_matrix((np.r_[cost, cost], (np.r_[u, v], np.r_[v, u])), shape=(nodes, nodes))
    between = _rounded(shortest_path(_least(roads), directed=False))
    wanted = np.flatnonzero(demand)
    starts = np.r_[0, np.column_stack([u[wanted], v[wanted]]).ravel()]
    ends = np.r_[0, np.column_stack([v[wanted], u[wanted]]).ravel()]
    along = np.r_[0, np.repeat(cost[wanted], 2)]
    length = between[ends][:, starts] + along[None, :]
    tours = -(-int(demand.sum()) // capacity) + CARP_SPARE_TOURS
    prize = 4 * int(length.max())
    jobs = tuple(Job((1 + 2 * k, 2 + 2 * k), prize, (int(demand[e]),)) for k, e in enumerate(wanted))
    problem = Problem(1, (Fleet(0, 0, tours, None, None, (capacity,)),), jobs, (length,), (length,), 0, 1)
    ways = ((v, u) if back else (u, v) for u, v in zip(u[wanted], v[wanted], strict=True) for back in (0, 1))
    labels = ("depot", *(f"{a} to {b}" for a, b in ways))
    return Instance(name, "carp", problem, best_known, 1, labels=labels)


def _least(roads: coo_matrix) -> Floats:
    """Return the cheapest of parallel edges as a dense matrix, 0 where there is none."""
    dense = np.full(roads.shape, np.inf)
    np.minimum.at(dense, (roads.row, roads.col), roads.data)
    return np.where(np.isinf(dense), 0.0, dense)


def _rounded(values: Floats) -> Whole:
    return np.asarray(np.rint(values), dtype=np.int64)
