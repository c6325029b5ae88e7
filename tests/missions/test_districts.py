"""A large site is planned by districts; here a small one is called large."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from missions import check, districts, planner
from missions.districts import FIRST_SHARE, LEAST_S, TURNS, part
from missions.flights import TRIED_ROUNDS, Search
from missions.model import Plan, Site
from missions.planner import LONGEST_S, plan
from missions.terrain import Terrain


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call ten tasks many, and six as many as a district should have; no hurry, however busy the machine."""
    monkeypatch.setattr(planner, "LARGE", 10)
    monkeypatch.setattr(districts, "HURRY_S", math.inf)
    monkeypatch.setattr(districts, "DISTRICT", 6)


def served(made: Plan) -> set[str]:
    return {task for sortie in made.sorties for task in sortie.tasks}


def test_districts_serve_everything_and_hold(site: Site, terrain: Terrain, planned: Plan) -> None:
    """As the search of the whole does, with the same rounds the same."""
    made, again = (plan(site, terrain=terrain, iterations=20) for _ in range(2))
    assert check.faults(made, site, terrain, longest_s=LONGEST_S) == ()
    assert served(made) == served(planned)
    assert made == again


def test_processes_make_the_plan_that_one_makes(site: Site, terrain: Terrain) -> None:
    """What is searched side by side is put together in its order."""
    assert plan(site, terrain=terrain, iterations=20, workers=2) == plan(site, terrain=terrain, iterations=20)


@pytest.mark.parametrize("asks", [0, 4])
def test_a_large_search_that_is_cancelled_returns_a_proven_plan_of_everything(
    site: Site, terrain: Terrain, planned: Plan, asks: int
) -> None:
    """Before its first round, and in the middle of a search that would take for ever."""
    cancelled = after(asks)
    made = plan(site, terrain=terrain, iterations=10**9, cancelled=cancelled)
    assert check.faults(made, site, terrain, longest_s=LONGEST_S) == ()
    assert served(made) == served(planned)


@pytest.mark.parametrize("line", ["district 2 of 2: measuring ways", "district 1 of 2: choosing sorties"])
def test_a_search_cancelled_in_one_district_plans_the_others_quickly(
    site: Site, terrain: Terrain, planned: Plan, line: str
) -> None:
    """The line that it is heard at says which district it is in, and what is done there."""
    heard: list[str] = []
    made = plan(
        site,
        terrain=terrain,
        iterations=10**9 if "choosing" in line else 20,
        progress=lambda what, share: heard.append(what),
        cancelled=lambda: line in heard,
    )
    assert check.faults(made, site, terrain, longest_s=LONGEST_S) == ()
    assert served(made) == served(planned)


def test_districts_that_a_cancelled_search_does_not_come_to_are_left_and_that_is_said(
    site: Site, terrain: Terrain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(districts, "HURRY_S", -1.0)
    heard: list[str] = []
    made = plan(
        site,
        terrain=terrain,
        iterations=20,
        progress=lambda what, share: heard.append(what),
        cancelled=lambda: "district 1 of 2: choosing sorties" in heard,
    )
    assert check.faults(made, site, terrain, longest_s=LONGEST_S) == ()
    assert 0 < len(served(made)) < len(made.tasks)
    assert {u.reason for u in made.unserved} == {
        "planning was stopped before flights were found for all of it"
    }


def test_a_cancelled_search_in_processes_ends(site: Site, terrain: Terrain, planned: Plan) -> None:
    """They are told of it, though the callback itself does not travel."""
    made = plan(site, terrain=terrain, iterations=10**9, workers=2, cancelled=after(1))
    assert served(made) == served(planned)


def test_a_task_that_the_districts_leave_is_flown_alone(
    site: Site, terrain: Terrain, planned: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the search gave up: here it gives up every second sortie."""
    monkeypatch.setattr(planner, "searched", halved(districts.searched))
    made = plan(site, terrain=terrain, iterations=20)
    assert check.faults(made, site, terrain, longest_s=LONGEST_S) == ()
    assert served(made) == served(planned)


def test_searches_of_all_districts_and_tries_take_about_the_seconds_asked() -> None:
    """A try after the first takes a quarter of it; a district half a second at least."""
    asked = Search(seconds=60.0, workers=2)
    first = [part(asked, share, FIRST_SHARE) for share in (0.5, 0.3, 0.2)]
    again = [part(asked, share, (1 - FIRST_SHARE) / TURNS) for share in (0.6, 0.4)] * TURNS
    assert sum(s.seconds for s in (*first, *again)) == pytest.approx(60.0 * 2)
    tried = sum(s.tried(number).seconds for s in first for number in range(TRIED_ROUNDS))
    assert tried == pytest.approx(60.0 * 2 * FIRST_SHARE * 1.5)
    assert part(asked, 0.0001, FIRST_SHARE).seconds == LEAST_S


def after(asks: int) -> Callable[[], bool]:
    """Return what says yes once it was asked so often."""
    asked: list[None] = []

    def cancelled() -> bool:
        asked.append(None)
        return len(asked) > asks

    return cancelled


def halved(searched: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """Return the search with every second of its sorties lost."""
    return lambda *given: searched(*given)[::2]
