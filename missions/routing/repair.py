"""Tours put right after a change: what still holds stays, what is loose is put in where it fits best.

Jobs that no tour serves any more are put in where they fit best (`inserted`), and the search
goes on from there.
"""

from collections.abc import Sequence

from missions.routing.effort import Effort
from missions.routing.insertion import inserted
from missions.routing.problem import Answer, Problem, Tour
from missions.routing.search import Manner, Stage, search

# The search goes on gently, so that what holds is changed only where that pays.
GENTLE = Manner(stages=(Stage(0.7, 0.9), Stage(1.0, 0.4)))


def repair(
    problem: Problem,
    kept: Sequence[Tour],
    effort: Effort,
    *,
    seed: int = 1,
    manner: Manner = GENTLE,
) -> Answer:
    """Return tours that serve what the kept ones do and what they leave, as far as it fits."""
    return search(problem, effort, seed=seed, start=inserted(problem, kept), manner=manner)
