"""What other solvers make of a case, where they are installed: OR-Tools' routing and VROOM.

`pip install gridpatrol[bench]` brings both; VROOM's package is `pyvroom`.
"""

import importlib
import math
from datetime import timedelta
from types import ModuleType
from typing import Any

from missions.routing.problem import Problem, Tour


class NotInstalled(Exception):
    """The package that this comparison needs is not there."""


def or_tools(problem: Problem, *, seconds: float) -> tuple[Tour, ...]:
    """Return OR-Tools' tours: guided local search from parallel cheapest insertion.

    Raises:
        NotInstalled: OR-Tools is not there.
    """
    solver = _module("ortools.constraint_solver.pywrapcp")
    enums = _module("ortools.constraint_solver.routing_enums_pb2")
    docks = [d for d, fleet in enumerate(problem.fleets) for _ in range(fleet.tours)]
    manager = solver.RoutingIndexManager(problem.size, len(docks), docks, docks)
    routing = solver.RoutingModel(manager)
    arcs = routing.RegisterTransitMatrix(problem.time[0].tolist())
    routing.SetArcCostEvaluatorOfAllVehicles(arcs)
    most = max(fleet.most_time or 0 for fleet in problem.fleets)
    routing.AddDimension(arcs, 0, most, True, "time")
    search = solver.DefaultRoutingSearchParameters()
    search.first_solution_strategy = enums.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    search.local_search_metaheuristic = enums.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    search.time_limit.FromSeconds(max(1, math.ceil(seconds)))
    found = routing.SolveWithParameters(search)
    if found is None:
        return ()
    return tuple(
        Tour(dock, nodes) for k, dock in enumerate(docks) if (nodes := _visited(routing, manager, found, k))
    )


def vroom(problem: Problem, *, seconds: float) -> tuple[Tour, ...]:
    """Return VROOM's tours at its highest level of exploration, which the seconds (by the clock) cut short.

    Raises:
        NotInstalled: VROOM is not there.
    """
    module = _module("vroom")
    given: Any = module.Input()
    given.set_durations_matrix("car", problem.time[0].tolist())
    for node in range(problem.depots, problem.size):
        given.add_job(module.Job(node, location=node))
    number = 0
    for dock, fleet in enumerate(problem.fleets):
        for _ in range(fleet.tours):
            given.add_vehicle(
                module.Vehicle(number, start=dock, end=dock, profile="car", max_travel_time=fleet.most_time)
            )
            number += 1
    routes = given.solve(exploration_level=5, nb_threads=1, timeout=timedelta(seconds=seconds)).routes
    docks = [d for d, fleet in enumerate(problem.fleets) for _ in range(fleet.tours)]
    return tuple(
        Tour(docks[int(vehicle)], tuple(int(k) for k in steps[steps["type"] == "job"]["id"]))
        for vehicle, steps in routes.groupby("vehicle_id")
    )


def _visited(routing: Any, manager: Any, found: Any, vehicle: int) -> tuple[int, ...]:
    nodes, index = [], found.Value(routing.NextVar(routing.Start(vehicle)))
    while not routing.IsEnd(index):
        nodes.append(int(manager.IndexToNode(index)))
        index = found.Value(routing.NextVar(index))
    return tuple(nodes)


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise NotInstalled(f"{name.partition('.')[0]} is not installed") from error
