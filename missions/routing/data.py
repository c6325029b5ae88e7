"""Our problem as PyVRP's data, and its solutions as our tours.

A tour is a vehicle of PyVRP with a distance and a duration, both limited. What is paid
for is the distance, so energy where that costs something, else time; the other is the
duration. PyVRP adds up a move's distance first and looks no further where that alone is
too dear: with time as the paid duration it makes half as many rounds a second. A job of
several nodes is a group of clients of which one at most is visited.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyvrp

from missions.routing.problem import Job, Problem, Tour, Whole

# What PyVRP takes for no limit.
NO_LIMIT = int(np.iinfo(np.int64).max)


def to_pyvrp(problem: Problem, *, all_fit: bool) -> pyvrp.ProblemData:
    """Return the problem as PyVRP wants it.

    Jobs are clients that may be left out for a prize: an answer must come even when
    not everything can be flown, and a required client that fits nowhere would leave
    none. `all_fit` says that all musts are known to fit; they are then required,
    which halves the work of a round.
    """
    clients: list[pyvrp.Client] = []
    groups: list[pyvrp.ClientGroup] = []
    for job in problem.jobs:
        required, group = is_required(job, all_fit=all_fit), None
        if len(job.nodes) > 1:
            group = len(groups)
            members = [node - problem.depots for node in job.nodes]
            groups.append(pyvrp.ClientGroup(members, required=required))
        clients += [
            pyvrp.Client(
                node,
                delivery=list(job.load),
                prize=0 if required else job.prize,
                required=required and group is None,
                group=group,
            )
            for node in job.nodes
        ]
    return pyvrp.ProblemData(
        [pyvrp.Location(0, 0) for _ in range(problem.size)],
        clients,
        [pyvrp.Depot(depot) for depot in range(problem.depots)],
        _vehicles(problem),
        [_hollow(matrix) for matrix in (problem.time if pays_time(problem) else problem.energy)],
        [_hollow(matrix) for matrix in (problem.energy if pays_time(problem) else problem.time)],
        groups,
    )


def is_required(job: Job, *, all_fit: bool) -> bool:
    """Return whether a job may not be left out for its prize."""
    return job.must and all_fit


def pays_time(problem: Problem) -> bool:
    """Return whether time alone is paid for: it is then PyVRP's distance, and energy its duration."""
    return problem.per_energy == 0


def flying(problem: Problem) -> list[int]:
    """Return the fleets that have a tour to fly: these alone are vehicles of PyVRP."""
    return [k for k, fleet in enumerate(problem.fleets) if fleet.tours > 0]


def tour_of(route: pyvrp.Route, problem: Problem) -> Tour:
    """Return a route of PyVRP as our tour."""
    visits = (a.idx + problem.depots for a in route.schedule() if a.is_client())
    return Tour(flying(problem)[route.vehicle_type()], tuple(visits))


def tours_of(solution: pyvrp.Solution, problem: Problem) -> tuple[Tour, ...]:
    """Return the tours of a solution that keep their limits: each is good whatever the others do."""
    return tuple(tour_of(route, problem) for route in solution.routes() if route.is_feasible())


def to_solution(data: pyvrp.ProblemData, tours: Iterable[Tour], problem: Problem) -> pyvrp.Solution:
    """Return tours as a solution of PyVRP."""
    vehicle = {fleet: k for k, fleet in enumerate(flying(problem))}
    return pyvrp.Solution(
        data,
        [
            pyvrp.Route(data, [n - problem.depots for n in t.nodes], vehicle[t.fleet])
            for t in tours
            if t.nodes
        ],
    )


def _vehicles(problem: Problem) -> list[pyvrp.VehicleType]:
    time, energy = problem.per_time, problem.per_energy
    paid, other = (time, energy) if pays_time(problem) else (energy, time)
    return [
        pyvrp.VehicleType(
            num_available=fleet.tours,
            capacity=list(fleet.capacity),
            start_depot=fleet.start,
            end_depot=fleet.end,
            fixed_cost=fleet.fixed,
            unit_distance_cost=paid,
            unit_duration_cost=other,
            profile=fleet.profile,
            max_distance=_most(fleet.most_time if pays_time(problem) else fleet.most_energy),
            shift_duration=_most(fleet.most_energy if pays_time(problem) else fleet.most_time),
        )
        for fleet in problem.fleets
        if fleet.tours > 0
    ]


def _most(limit: int | None) -> int:
    return NO_LIMIT if limit is None else limit


def _hollow(matrix: Whole) -> Any:  # PyVRP's stub types no array rightly
    """Return a matrix with nothing on its diagonal, as PyVRP wants it."""
    if not matrix.diagonal().any():
        return np.ascontiguousarray(matrix)
    hollow = matrix.copy()
    np.fill_diagonal(hollow, 0)
    return hollow
