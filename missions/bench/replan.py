"""A dock down on a farm of 576 points: how soon a plan is there again, and how good it is.

The plan of each seed is flown as far as the first sortie of every other dock, which stay
as they are. Then each dock in turn is taken away: the points of its sorties are put into
what is left, and the search goes on for ten seconds. Beside it stands a search of the same
points from nothing for a minute. Points that no dock left can reach are counted and left out of
both. The case limits no dock's sorties, so neither is limited. Seconds are CPU seconds of the one process.
"""

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from missions.bench.case import from_quick
from missions.bench.proof import faults
from missions.measure import Job, Row, at_least, at_most, measured, skipped
from missions.routing.cases import PER_S, problem_of, read
from missions.routing.effort import Effort
from missions.routing.insertion import inserted
from missions.routing.parts import Part, part
from missions.routing.problem import Problem, Tour, is_within_limits, measure, total_cost
from missions.routing.repair import repair

CASES = Path("../shared/data/routing/farm576")
SEEDS = (1, 2, 3)
DOCKS = (0, 1, 2, 3, 4)
OVER_ALL = ("replan.first_s", "replan.worse", "replan.worse_mean", "replan.holds")
PLAN_S, AGAIN_S, COLD_S = 10.0, 9.0, 60.0


@dataclass(frozen=True, slots=True)
class Down:
    """What is left to plan when a dock is down: the problem, and the tours that still hold."""

    problem: Problem
    kept: tuple[Tour, ...]
    part: Part
    unreachable: int


def rows(job: Job) -> Iterator[Row]:
    """Yield how soon a plan holds again, and how much worse it is than one made at leisure.

    Each case has a row of its own ("replan.seed1.dock2"), so that one can be asked for alone.
    """
    if not (CASES / "seed1.json").is_file():
        yield skipped("replan.worse", f"{CASES} is not here: run beside the shared data")
        return
    quick = 0.1 if job.quick else 1.0
    soon_s, worse, untouched = [], [], []
    for seed in SEEDS[:1] if job.quick else SEEDS:
        docks = [
            d
            for d in (DOCKS[:1] if job.quick else DOCKS)
            if any(job.wants(name) for name in (f"replan.seed{seed}.dock{d}", *OVER_ALL))
        ]
        if not docks:
            continue
        case = read(CASES / f"seed{seed}.json")
        most = [len(case.points)] * len(case.docks)
        whole = problem_of(case, range(len(case.docks)), range(len(case.points)), tours=most)
        tours = from_quick(whole, PLAN_S * quick, seed).tours
        for dock in docks:
            flown = in_the_air(tours, dock)
            down = without(whole, [t for t in tours if t not in flown], dock, flown)
            began_s = time.process_time()
            first = inserted(down.problem, down.kept)
            soon_s.append(time.process_time() - began_s)
            again = repair(down.problem, down.kept, Effort(seconds=AGAIN_S * quick), seed=seed)
            cold = from_quick(down.problem, COLD_S * quick, seed + 1)
            wrong = [*faults(down.problem, first), *faults(down.problem, again.tours)]
            # The flights in the air cost the same in both.
            in_air = sum(measure(whole, tour).cost for tour in flown)
            worse.append((again.cost + in_air) / (cold.cost + in_air) - 1)
            untouched.append(float(not wrong))
            yield measured(f"replan.seed{seed}.dock{dock}", worse[-1], unit="share", clock="cpu")
            job.raw.write(
                "replan",
                {
                    "seed": seed,
                    "dock": dock,
                    "in_the_air": len(flown),
                    "unreachable": down.unreachable,
                    "rehomed": len(down.problem.jobs) - sum(len(t.nodes) for t in down.kept),
                    "first_s": soon_s[-1],
                    "first_flight_s": total_cost(down.problem, first) / PER_S,
                    "again_flight_s": again.cost / PER_S,
                    "cold_flight_s": cold.cost / PER_S,
                    "faults": wrong,
                },
            )
    if not worse:
        return
    anchor = "PyVRP: 1–2 s, 3–9 % worse after 5 s"
    yield at_most("replan.first_s", max(soon_s), 2.0, unit="s", clock="cpu", anchor=anchor)
    yield at_most("replan.worse", max(worse), 0.03, unit="share", clock="cpu", anchor=anchor)
    yield measured("replan.worse_mean", statistics.fmean(worse), unit="share", clock="cpu")
    yield at_least("replan.holds", min(untouched), 1.0, unit="share", clock="none")


def in_the_air(tours: tuple[Tour, ...], dock: int) -> list[Tour]:
    """Return the first tour of each dock but one: these have started and are not touched."""
    first = {tour.fleet: tour for tour in reversed(tours) if tour.fleet != dock}
    return list(first.values())


def without(whole: Problem, tours: list[Tour], dock: int, flown: list[Tour]) -> Down:
    """Return what is left to plan without a dock and without the points being flown over."""
    job_of = whole.job_of()
    over = {int(job_of[node]) for tour in flown for node in tour.nodes}
    left = [fleet for fleet in range(len(whole.fleets)) if fleet != dock]
    jobs, unreachable = [], 0
    for k, job in enumerate(whole.jobs):
        if k in over:
            continue
        if any(is_within_limits(whole, Tour(fleet, (node,))) for fleet in left for node in job.nodes):
            jobs.append(k)
        else:
            unreachable += 1
    rest = replace(
        whole,
        fleets=tuple(
            replace(fleet, tours=0 if k == dock else fleet.tours) for k, fleet in enumerate(whole.fleets)
        ),
    )
    mine = part_of(rest, jobs)
    return Down(mine.problem, mine.inside([t for t in tours if t.fleet != dock]), mine, unreachable)


def part_of(problem: Problem, jobs: list[int]) -> Part:
    """Return the part with these jobs and all the tours there are."""
    every = Counter({k: fleet.tours for k, fleet in enumerate(problem.fleets)})
    return part(problem, jobs, used=every, elsewhere=Counter(), spare=0)
