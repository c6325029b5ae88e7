"""Public routing problems: how far from the best known values, beside PyVRP alone."""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from missions.bench.proof import faults
from missions.errors import InputWrong
from missions.routing.alone import search_alone
from missions.routing.effort import Effort
from missions.routing.instances import Instance, read_folder
from missions.routing.problem import Answer, Problem, Tour, is_within_limits
from missions.routing.search import search

Searcher = Callable[..., Answer]


def measure_folder(
    folder: Path,
    *,
    seconds: float,
    seed: int,
    only: Sequence[str] = (),
    alone: bool = True,
    until_known: bool = False,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Return for each instance what we found and what PyVRP alone found in the same CPU seconds.

    Gaps are fractions of the best known value, positive when worse. With `until_known` a search ends
    when it is there. `routes` are the tours, by the names their stops have in the instance's file.

    Raises:
        InputWrong: the folder holds no instance asked for.
    """
    found = []
    for instance in read_folder(folder):
        if only and not any(instance.name.startswith(name) for name in only):
            continue
        effort = Effort(
            seconds=seconds,
            enough=max(_least(instance.problem), instance.known_cost if until_known else -math.inf),
        )
        row = _measured(instance, effort, seed, alone)
        beside = f", PyVRP alone {row['alone_gap']:+.2%}" if alone else ""
        tell(f"{instance.name}: {row['cost']:g}, gap {row['gap']:+.2%}{beside}")
        found.append(row)
    if not found:
        raise InputWrong(f"{folder}: no instance there that is asked for")
    result = {
        "instances": found,
        "mean_gap": statistics.fmean(row["gap"] for row in found),
        "feasible": all(row["feasible"] for row in found),
        "seconds": seconds,
        "seed": seed,
    }
    if alone:
        result["alone_mean_gap"] = statistics.fmean(row["alone_gap"] for row in found)
        result["worse_than_alone"] = [row["name"] for row in found if row["gap"] > row["alone_gap"] + 1e-9]
    return result


def _measured(instance: Instance, effort: Effort, seed: int, alone: bool) -> dict[str, Any]:
    row = {"name": instance.name, "best_known": instance.best_known}
    row |= _one(instance, search, effort, seed)
    if alone:
        row |= {f"alone_{key}": value for key, value in _one(instance, search_alone, effort, seed).items()}
    return row


def _one(instance: Instance, searcher: Searcher, effort: Effort, seed: int) -> dict[str, Any]:
    began_s = time.process_time()
    answer = searcher(instance.problem, effort, seed=seed)
    wrong = faults(instance.problem, answer.tours)
    cost = instance.value(answer.tours)
    return {
        "cost": round(cost, 4),
        "gap": instance.gap(cost),
        "tours": len(answer.tours),
        "feasible": not wrong,
        "faults": list(wrong[:3]),
        "rounds": answer.rounds,
        "cpu_s": round(time.process_time() - began_s, 2),
        "routes": instance.written(answer.tours),
    }


def _least(problem: Problem) -> float:
    """Return a cost that cannot be bettered where no job can be reached at all, else minus infinity."""
    reached = any(
        is_within_limits(problem, Tour(fleet, (node,)))
        for job in problem.jobs
        for node in job.nodes
        for fleet in range(len(problem.fleets))
    )
    return float("-inf") if reached else float(sum(job.prize for job in problem.jobs))
