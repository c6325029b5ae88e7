"""One of our own cases: our sorties over it, beside simpler planners and a lower bound."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from missions import memory
from missions.bench import baselines, peers
from missions.bench.proof import case_faults, sortie_s
from missions.routing.alone import search_alone
from missions.routing.bound import lower_bound
from missions.routing.cases import PER_S, Case, problem_of, read
from missions.routing.effort import Effort
from missions.routing.problem import Answer, Problem, Tour, total_cost
from missions.routing.quick import giant_tour, tightened
from missions.routing.regions import LARGE, plan_regions
from missions.routing.search import LONG_S, Manner, Stage, search

# What a sortie more must save to be flown, in little time: about as much flying, in one or two fewer.
A_SORTIE_S = 300

# A sortie: its dock and its points in order, by the case's numbers.
Sorties = list[tuple[int, list[int]]]


def measure_case(
    file: Path, *, seconds: float, workers: int, seed: int, compare: bool, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Return our sorties over a case and what they take, and with `compare` what others' take.

    `seconds` are CPU seconds of the one worker that plans; with several workers, or from
    1,500 points on, seconds by the clock.

    Raises:
        InputWrong: the file is no case.
    """
    case = read(file)
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    if len(case.points) >= LARGE or workers > 1:
        found = plan_regions(case, seconds=seconds, workers=workers, seed=seed)
        sorties: Sorties = [(t.dock, list(t.points)) for t in found.tours]
        peak_bytes = memory.peak_bytes() + sum(found.peak_bytes.values())
        cpu_s = time.process_time() - began_cpu_s + found.cpu_s
    else:
        most = [len(case.points)] * len(case.docks)
        problem = problem_of(case, range(len(case.docks)), range(len(case.points)), tours=most)
        answer = from_quick(problem, seconds - (time.process_time() - began_cpu_s), seed)
        sorties = _sorties(answer.tours, problem)
        peak_bytes, cpu_s = memory.peak_bytes(), time.process_time() - began_cpu_s
    result = {
        "name": case.name,
        **_told(case, sorties),
        "cpu_s": round(cpu_s, 2),
        "wall_s": round(time.monotonic() - began_s, 2),
        "peak_bytes": peak_bytes,
        "seconds": seconds,
        "workers": workers,
        "seed": seed,
        "routes": {"sorties": [{"dock": dock, "points": points} for dock, points in sorties]},
    }
    left = result["unserved"]
    tell(
        f"{case.name}: {result['flight_s']:.0f} s in {result['sorties']} sorties, {left} left out; "
        f"{result['cpu_s']:.0f} s of CPU in {result['wall_s']:.0f} s, {peak_bytes / 1e9:.2f} GB"
    )
    if compare:
        result["lower_bound_s"], result["compared"] = _compared(case, seconds, seed, tell)
    return result


def from_quick(problem: Problem, seconds: float, seed: int) -> Answer:
    """Return tours searched from a quick plan, which counts in the CPU seconds."""
    began_s = time.process_time()
    quick = giant_tour(problem)
    price = A_SORTIE_S * PER_S if seconds < LONG_S else 0
    priced = replace(problem, fleets=tuple(replace(fleet, fixed=price) for fleet in problem.fleets))
    left_s = max(0.5, seconds - (time.process_time() - began_s))
    found = search(
        tightened(priced, quick), Effort(seconds=left_s), seed=seed, start=quick, manner=manner(left_s)
    )
    return replace(found, cost=total_cost(problem, found.tours))


def manner(seconds: float) -> Manner:
    """Return how to search from a quick plan: with much time also once from nothing."""
    if seconds < LONG_S:
        return Manner(stages=(Stage(0.5, 1.8), Stage(0.8, 0.9), Stage(1.0, 0.5)))
    return Manner(stages=(Stage(0.35, 1.8), Stage(0.65, 1.8, fresh=True), Stage(0.85, 0.9), Stage(1.0, 0.5)))


def _told(case: Case, sorties: Sorties) -> dict[str, Any]:
    wrong = case_faults(case, sorties)
    return {
        "flight_s": round(sum(sortie_s(case, dock, points) for dock, points in sorties), 1),
        "sorties": len(sorties),
        "unserved": len(case.points) - len({p for _, points in sorties for p in points}),
        "feasible": not wrong,
        "faults": list(wrong[:3]),
    }


def _compared(
    case: Case, seconds: float, seed: int, tell: Callable[[str], None]
) -> tuple[float | None, list[dict[str, Any]]]:
    """Return a lower bound in seconds, and what each other way of planning comes to."""
    if len(case.points) >= LARGE:
        reason = f"its matrix of all points at once is not built from {LARGE} points on"
        return None, [{"name": name, "skipped": reason} for name in WAYS]
    problem = problem_of(case, range(len(case.docks)), range(len(case.points)))
    places = np.rint(np.vstack([case.docks, case.points])[:, :2]).astype(np.int64)
    rows = []
    for name, way in WAYS.items():
        began_s = time.process_time()
        try:
            row: dict[str, Any] = _told(case, _sorties(way(problem, places, seconds, seed), problem))
            row |= {"cpu_s": round(time.process_time() - began_s, 2), "skipped": None}
            tell(f"  {name}: {row['flight_s']:.0f} s in {row['sorties']} sorties")
        except peers.NotInstalled as error:
            row = {"skipped": str(error)}
        rows.append({"name": name} | row)
    return lower_bound(problem) / PER_S, rows


def _alone(problem: Problem, places: Any, seconds: float, seed: int) -> Sequence[Tour]:
    return search_alone(problem, Effort(seconds=seconds), seed=seed).tours


# Ways of planning, simplest first: each is given the problem, the places, the seconds and the seed.
WAYS: dict[str, Callable[[Problem, Any, float, int], Sequence[Tour]]] = {
    "nearest neighbour": lambda problem, places, seconds, seed: baselines.nearest_neighbour(problem),
    "k-means and 2-opt": lambda problem, places, seconds, seed: baselines.clusters(problem, places),
    "giant tour and split": lambda problem, places, seconds, seed: baselines.giant_tour(problem),
    "VROOM": lambda problem, places, seconds, seed: peers.vroom(problem, seconds=seconds),
    "OR-Tools routing": lambda problem, places, seconds, seed: peers.or_tools(problem, seconds=seconds),
    "PyVRP alone": _alone,
}


def _sorties(tours: Sequence[Tour], problem: Problem) -> Sorties:
    return [(t.fleet, [node - problem.depots for node in t.nodes]) for t in tours]
