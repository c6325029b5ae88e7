"""A search tells how good its best is, and Ctrl-C ends it with what there is."""

import signal

import pytest

from missions import check
from missions.model import Plan, Site
from missions.planner import LONGEST_S, plan
from missions.telling import Stopping, Told
from missions.terrain import Terrain


def served(made: Plan) -> set[str]:
    return {task for sortie in made.sorties for task in sortie.tasks}


def test_a_search_that_is_cancelled_returns_a_proven_plan_of_everything(
    site: Site, terrain: Terrain, planned: Plan
) -> None:
    """Before its first round, and after a few."""
    for rounds in (0, 5):
        asked: list[None] = []

        def cancelled(rounds: int = rounds, asked: list[None] = asked) -> bool:
            asked.append(None)
            return len(asked) > rounds

        made = plan(site, terrain=terrain, iterations=100_000, cancelled=cancelled)
        assert check.faults(made, site, terrain, longest_s=LONGEST_S) == ()
        assert served(made) == served(planned)


def test_a_search_stops_within_the_gap_that_is_asked_for(site: Site, terrain: Terrain) -> None:
    """Within 99 % of the best is the first answer there is: it costs a part of what was allowed."""
    told: list[float] = []
    plan(site, terrain=terrain, iterations=300, gap=0.99, best=lambda share, cost_s: told.append(cost_s))
    unbounded: list[float] = []
    plan(site, terrain=terrain, iterations=300, best=lambda share, cost_s: unbounded.append(cost_s))
    assert told[-1] >= unbounded[-1] > 0
    assert len(told) <= len(unbounded)


def test_the_line_says_what_the_best_costs(capsys: pytest.CaptureFixture[str]) -> None:
    told = Told(line_every_s=0.0)
    told("choosing sorties", 0.0)
    told.best(0.1, 5123.4)
    told("choosing sorties", 0.5)
    assert capsys.readouterr().err == "choosing sorties …\nchoosing sorties … cost so far 5,123 s\n"


def test_ctrl_c_asks_to_stop_and_a_second_one_stops() -> None:
    said: list[str] = []
    before = signal.getsignal(signal.SIGINT)
    with Stopping(said.append) as stopping:
        assert not stopping()
        signal.raise_signal(signal.SIGINT)
        assert stopping()
        assert "best plan so far" in said[0]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before
