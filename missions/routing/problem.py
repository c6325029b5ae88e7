"""What is to be routed, in whole numbers, and what came of it: no solver is known here.

A *job* is visited once, at one of its nodes (a strip has one node for each end
it may be flown from), or left out at the price of its prize. A *fleet* is so many
tours alike at most, each from its start depot to its end depot within a time, an
energy and loads. Visiting a node is part of the arc into it. Units are the caller's
(tenths of a second, hundredths of a watt hour, ...): counting in whole numbers
makes an answer the same on every machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]

# Beyond every limit, and far from overflowing when a tour's arcs are added up.
UNREACHABLE = 10**9


@dataclass(frozen=True, slots=True)
class Fleet:
    """Tours alike: from one depot to one depot, `tours` at most."""

    start: int
    end: int
    tours: int
    most_time: int | None = None
    most_energy: int | None = None
    capacity: tuple[int, ...] = ()
    profile: int = 0
    fixed: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """Something to visit once, at one of its nodes. `prize` is what leaving it out costs.

    A `must` is left out only where it does not fit at all.
    """

    nodes: tuple[int, ...]
    prize: int
    load: tuple[int, ...] = ()
    must: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """Depots are the first nodes; `time[p][i, j]` and `energy[p][i, j]` are the arcs of a profile.

    A tour costs its fleet's `fixed`, its time times `per_time` and its energy times `per_energy`.
    """

    depots: int
    fleets: tuple[Fleet, ...]
    jobs: tuple[Job, ...]
    time: tuple[Whole, ...]
    energy: tuple[Whole, ...]
    per_time: int = 1
    per_energy: int = 0

    def __post_init__(self) -> None:
        """Check that nodes, matrices and loads fit together.

        Raises:
            ValueError: names what was wanted and what came.
        """
        size = self.size
        if len(self.time) != len(self.energy):
            raise ValueError(f"{len(self.time)} time matrices, {len(self.energy)} energy matrices")
        for matrix in (*self.time, *self.energy):
            if matrix.shape != (size, size):
                raise ValueError(f"matrix of {matrix.shape}, expected {(size, size)}")
        nodes = [node for job in self.jobs for node in job.nodes]
        if nodes != list(range(self.depots, size)):
            raise ValueError("nodes of jobs must be numbered on from the depots, job by job")
        kinds = {len(each.load) for each in self.jobs} | {len(fleet.capacity) for fleet in self.fleets}
        if len(kinds) > 1:
            raise ValueError(f"loads and capacities of different lengths: {sorted(kinds)}")

    @property
    def size(self) -> int:
        """How many nodes there are, depots and all."""
        return self.depots + sum(len(job.nodes) for job in self.jobs)

    def job_of(self) -> Whole:
        """Return the job of each node, -1 for depots."""
        counts = [len(job.nodes) for job in self.jobs]
        return np.concatenate([np.full(self.depots, -1), np.repeat(np.arange(len(counts)), counts)]).astype(
            np.int64
        )


@dataclass(frozen=True, slots=True)
class Tour:
    """One tour: its fleet and the nodes it visits in order, depots left out."""

    fleet: int
    nodes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The tours found, their cost (what they leave out counted), and the rounds the search took."""

    tours: tuple[Tour, ...]
    cost: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Measure:
    """What a tour takes."""

    time: int
    energy: int
    cost: int


def measure(problem: Problem, tour: Tour) -> Measure:
    """Return the time, the energy and the cost of a tour."""
    fleet = problem.fleets[tour.fleet]
    stops = np.array([fleet.start, *tour.nodes, fleet.end])
    time = int(problem.time[fleet.profile][stops[:-1], stops[1:]].sum())
    energy = int(problem.energy[fleet.profile][stops[:-1], stops[1:]].sum())
    return Measure(time, energy, fleet.fixed + problem.per_time * time + problem.per_energy * energy)


def total_cost(problem: Problem, tours: Sequence[Tour]) -> int:
    """Return the cost of the tours and of the jobs they leave out."""
    job_of = problem.job_of()
    done = {int(job_of[node]) for tour in tours for node in tour.nodes}
    left = sum(job.prize for k, job in enumerate(problem.jobs) if k not in done)
    return left + sum(measure(problem, tour).cost for tour in tours)


def is_within_limits(problem: Problem, tour: Tour) -> bool:
    """Return whether a tour keeps its fleet's time, energy and capacity."""
    fleet, took = problem.fleets[tour.fleet], measure(problem, tour)
    job_of = problem.job_of()
    loads = [problem.jobs[job_of[node]].load for node in tour.nodes]
    return (
        (fleet.most_time is None or took.time <= fleet.most_time)
        and (fleet.most_energy is None or took.energy <= fleet.most_energy)
        and all(sum(load[k] for load in loads) <= most for k, most in enumerate(fleet.capacity))
    )
