"""The search for tours, stage by stage, and the best choice of all tours met on the way."""

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyvrp import Solution

from missions.routing.alone import run_alone
from missions.routing.data import tours_of
from missions.routing.depots import from_better_depots
from missions.routing.descent import Descent
from missions.routing.effort import Effort, Meter
from missions.routing.insertion import inserted
from missions.routing.parts import apart, around, part
from missions.routing.pool import Pool
from missions.routing.problem import Answer, Problem, Tour, measure

# Where rounds are counted, choosing ends by the number of its own steps; this is a safety.
MOST_COMBINING_S = 60.0

# Of an effort in seconds so much is left for the last choice among the tours: it counts too.
LAST_CHOICE = 0.02

# A search of fewer rounds for each job than this has no time to mend a bad beginning.
SHORT = 2.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the search: up to which share of the effort, and how warm it begins.

    A `fresh` stage starts anew; another from the best there is. `warmth` is the first temperature, in
    what an answer costs for each of its jobs (`Descent.travel`). `jobs` are the most that are
    searched at a time, all when None. Without warmth it is PyVRP's own loop that
    searches. After each stage the best choice among all tours met so far is looked for.
    A stage of PyVRP's own stands still at its end while its `trial` is searched; where that finds
    nothing clearly better, PyVRP's loop goes on from where it stood until `resumed`.
    """

    until: float
    warmth: float | None
    fresh: bool = False
    jobs: int | None = None
    trial: "Stage | None" = None
    resumed: float = 1.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How to search. `neighbours` are jobs near to each that a move may bring it to."""

    stages: tuple[Stage, ...] = (Stage(0.5, 0.9, fresh=True), Stage(0.8, 0.45), Stage(1.0, 0.25))
    neighbours: int = 25
    # Rounds for each job of a part before the next part's turn.
    rounds_per_job: int = 8
    # Spare tours beyond those in use, once an answer is there.
    spare_tours: int = 2
    # Part of the effort that one choice among the tours may take.
    combine: float = 0.05
    # Part of the effort after which musts that still do not all fit may be left out.
    give_up: float = 0.15


# Better by such a part after a tenth of the effort, annealing is the better way to its end too. On
# points PyVRP's own loop makes up for 2 % of it; where jobs have two ends it does not.
CLEARLY, CLEARLY_TWO_WAYS = 0.03, 0.005

# With so many seconds there is time to try both ways of searching and to keep to the one that suits.
LONG_S = 20.0
PATIENT = Manner(
    stages=(
        Stage(0.1, None, fresh=True, trial=Stage(0.22, 0.9, fresh=True), resumed=0.88),
        Stage(0.7, 0.9, fresh=True),
        Stage(0.88, 0.45),
        Stage(1.0, 0.25),
    )
)


def search(
    problem: Problem,
    effort: Effort,
    *,
    seed: int = 1,
    start: Sequence[Tour] = (),
    manner: Manner | None = None,
) -> Answer:
    """Return the best tours found; each keeps its limits, and jobs in none of them did not fit.

    The search begins from the tours of `start` when given.
    """
    if not problem.jobs or not any(fleet.tours for fleet in problem.fleets):
        return Answer((), sum(job.prize for job in problem.jobs), 0)
    return _Search(problem, effort, seed, manner or manner_for(problem, effort)).run(tuple(start))


def manner_for(problem: Problem, effort: Effort) -> Manner:
    """Return how to search a problem: with much time PyVRP's own way first, then ours on trial.

    Where jobs may be left out, begin anew more often.
    """
    if all(job.must for job in problem.jobs):
        return PATIENT if LONG_S <= effort.seconds < math.inf else Manner()
    fresh = tuple(Stage(k / 5, 0.02, fresh=True) for k in range(1, 5))
    return Manner(stages=(*fresh, Stage(1.0, 0.02)))


def _affordable(problem: Problem, tours: tuple[Tour, ...]) -> tuple[Tour, ...]:
    """Return the first tours of each fleet, no more than it has."""
    flown: Counter[int] = Counter()
    kept = []
    for tour in tours:
        flown[tour.fleet] += 1
        if flown[tour.fleet] <= problem.fleets[tour.fleet].tours:
            kept.append(tour)
    return tuple(kept)


class _Search:
    def __init__(self, problem: Problem, effort: Effort, seed: int, manner: Manner) -> None:
        self.problem, self.seed, self.manner = problem, seed, manner
        self.meter, self.pool = Meter(effort), Pool(problem)
        self.job_of = [int(job) for job in problem.job_of()]
        self.best: tuple[Tour, ...] = ()
        self.cost = self._cost(())
        self.all_fit = any(job.must for job in problem.jobs)
        self._dice = random.Random(seed)
        self._is_short = effort.rounds < SHORT * len(problem.jobs)
        self._most = 1.0 if math.isinf(effort.seconds) else 1.0 - LAST_CHOICE

    def run(self, start: tuple[Tour, ...]) -> Answer:
        self._offer(_affordable(self.problem, start))
        if self._is_short and not self.best:
            self._offer(inserted(self.problem, ()))
        for number, stage in enumerate(self.manner.stages):
            until = min(self._most, stage.until)
            if self.meter.share < until:
                self._stage(replace(stage, until=until), self.seed + number)
        self.meter.end(self.cost)
        return Answer(self.best, self.cost, self.meter.rounds)

    def _stage(self, stage: Stage, seed: int) -> None:
        """Search as a stage says, then for the best choice among all tours met."""
        if stage.warmth is None:
            self._alone(stage, seed)
        elif stage.jobs is None or not self.best:
            self._whole(stage, seed)
        else:
            self._in_parts(stage)
        self._combine()

    def _alone(self, stage: Stage, seed: int) -> None:
        """Let PyVRP search in its own manner until the stage's share of the effort is spent."""
        until, trial = stage.until, stage.trial

        def is_over(cost: int) -> bool:
            nonlocal until, trial
            spent = self.meter.count(min(cost, self.cost))
            if trial is None or spent < until or self.meter.ended:
                return spent >= until
            least = min(cost, self.cost)
            self._whole(trial, seed + 1)
            until, trial = min(self._most, stage.resumed), None
            return self.cost < least * (1 - self._clearly()) or self.meter.share >= until

        best = run_alone(
            self.problem, is_over, seed=seed, pool=self.pool, start=() if stage.fresh else self.best
        )
        self._offer(tours_of(best, self.problem))

    def _clearly(self) -> float:
        """Return by which part another way must be better early for PyVRP's own to be given up."""
        two_ways = any(len(job.nodes) > 1 for job in self.problem.jobs)
        return CLEARLY_TWO_WAYS if two_ways else CLEARLY

    def _whole(self, stage: Stage, seed: int) -> None:
        """Search the whole problem at once until the stage's share of the effort is spent."""
        descent = Descent(
            self._tightened(), all_fit=self.all_fit, seed=seed, neighbours=self.manner.neighbours
        )
        first = self._first(descent, stage)
        began, gave_up = self.meter.share, False
        seen: Solution | None = None

        def share(best: Solution) -> float:
            nonlocal seen, gave_up
            if best is not seen:
                seen = best
                self._offer(descent.tours(best))
            spent = self.meter.count(self.cost)
            gave_up = self.all_fit and not best.is_feasible() and spent > self.manner.give_up
            is_over = gave_up or spent >= stage.until
            return 1.0 if is_over else (spent - began) / (stage.until - began)

        best = descent.travel(first, warmth=stage.warmth or 0.0, pool=self.pool, share=share)
        self._offer(descent.tours(best))
        if gave_up and not self.meter.ended:
            self.all_fit = False
            self._whole(replace(stage, fresh=not self.best), seed + 1000)

    def _first(self, descent: Descent, stage: Stage) -> Solution:
        """Return the answer a stage begins with."""
        if self.best and not stage.fresh:
            return descent.of(self.best)
        if self.best and self._is_short and not self.meter.rounds:
            return descent.better(descent.fresh(), descent.settled(self.best))
        return descent.fresh()

    def _in_parts(self, stage: Stage) -> None:
        """Search tours near each other by themselves, one group after another."""
        assert stage.jobs is not None
        while self.meter.share < stage.until:
            tours = self.best
            sizes = [len(tour.nodes) for tour in tours]
            far = apart(self.problem, tours)
            for centre in self._dice.sample(range(len(tours)), max(1, len(tours) // 4)):
                chosen = around(far, sizes, centre, stage.jobs)
                if self.meter.share >= stage.until or self.best is not tours:
                    break
                self._part([tours[k] for k in chosen], stage)

    def _part(self, tours: list[Tour], stage: Stage) -> None:
        """Search these tours of the best answer by themselves, for rounds by their number of jobs."""
        jobs = sorted(self.job_of[node] for tour in tours for node in tour.nodes)
        used, everywhere = Counter(t.fleet for t in tours), Counter(t.fleet for t in self.best)
        mine = part(self.problem, jobs, used=used, elsewhere=everywhere - used, spare=self.manner.spare_tours)
        descent = Descent(
            mine.problem, all_fit=True, seed=self._dice.randrange(2**31), neighbours=self.manner.neighbours
        )
        pool = Pool(mine.problem)
        most, done = self.manner.rounds_per_job * len(jobs), 0

        def share(_: Solution) -> float:
            nonlocal done
            done += 1
            return 1.0 if self.meter.count(self.cost) >= stage.until else done / most

        best = descent.travel(
            descent.of(mine.inside(tours)), warmth=stage.warmth or 0.0, pool=pool, share=share
        )
        for tour, worth in pool.tours():
            self.pool.add(mine.outside([tour])[0], self.cost * (1 + worth))
        found = mine.outside(descent.tours(best))
        taken = set(tours)
        self._offer((*(t for t in self.best if t not in taken), *found))

    def _tightened(self) -> Problem:
        """Return the problem with few more tours than are in use: spare ones mislead the search."""
        if not self.best:
            return self.problem
        used = Counter(tour.fleet for tour in self.best)
        return replace(
            self.problem,
            fleets=tuple(
                replace(fleet, tours=min(fleet.tours, used[k] + self.manner.spare_tours))
                for k, fleet in enumerate(self.problem.fleets)
            ),
        )

    def _combine(self) -> None:
        """Take the best choice among all tours met, if that is better, each from its best depot.

        Not once told to end.
        """
        effort = self.meter.effort
        seconds = min(self.manner.combine * effort.seconds, effort.seconds - self.meter.spent_s)
        if self.meter.ended or seconds <= 0:
            return
        done = {self.job_of[node] for tour in self.best for node in tour.nodes}
        musts = frozenset(j for j in done if self.problem.jobs[j].must)
        chosen = self.pool.best(self.cost, seconds=min(seconds, MOST_COMBINING_S), musts=musts)
        if chosen is not None:
            self._offer(chosen)
        self._offer(from_better_depots(self.problem, self.best))

    def _offer(self, tours: tuple[Tour, ...]) -> None:
        """Keep the tours if they are the best so far."""
        cost = self._cost(tours)
        if tours and cost < self.cost:
            self.best, self.cost = tours, cost
            for tour in tours:
                self.pool.add(tour, cost)

    def _cost(self, tours: tuple[Tour, ...]) -> int:
        done = {self.job_of[node] for tour in tours for node in tour.nodes}
        left = sum(job.prize for k, job in enumerate(self.problem.jobs) if k not in done)
        return left + sum(measure(self.problem, tour).cost for tour in tours)
