"""A plan put right after bad news: what is in the air stays, and every other change has its reason."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from missions import check
from missions.model import Demand, Drone, NoFly, Plan, Site
from missions.planner import plan
from missions.replan import Fate, News, Replanned, _sorties, replan
from missions.terrain import Terrain
from tests.missions.tiny import FIRE, THERMAL, square

Again = Callable[[News], Replanned]


@pytest.fixture(scope="module")
def many(site: Site) -> Site:
    """The tiny site with two drones in each dock and batteries for half of what there is to see."""
    return replace(
        site, drones=(*site.drones, Drone("D3", "GP-1", "west", 3), Drone("D4", "GP-1", "east", 4))
    )


@pytest.fixture(scope="module")
def before(many: Site, terrain: Terrain) -> Plan:
    return plan(many, terrain=terrain, iterations=100, longest_s=420)


@pytest.fixture(scope="module")
def again(many: Site, before: Plan, terrain: Terrain) -> Again:
    return lambda news: replan(many, before, news, terrain=terrain, longest_s=420)


def tasks(made: Plan) -> set[str]:
    return {task for sortie in made.sorties for task in sortie.tasks}


def test_without_news_everything_is_kept(again: Again, before: Plan) -> None:
    now = again(News())
    assert {c.fate for c in now.changes} == {Fate.KEPT}
    assert {s.id: s for s in now.plan.sorties} == {s.id: s for s in before.sorties}


def test_a_dock_down_drops_its_sorties_and_others_take_their_tasks(again: Again, before: Plan) -> None:
    lost = {s.id for s in before.sorties if s.dock == "east"}
    now = again(News(docks_down=frozenset({"east"})))
    assert {s.dock for s in now.plan.sorties} == {"west"}
    fates = {c.sortie: c for c in now.changes}
    assert all(fates[s].fate is Fate.DROPPED and fates[s].why == "dock east is down" for s in lost)
    assert any("takes" in c.why for c in now.changes if c.fate in (Fate.CHANGED, Fate.NEW))
    assert tasks(now.plan) == tasks(before) or now.plan.unserved


def test_a_task_that_the_search_leaves_is_flown_alone(
    again: Again, before: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it is made to give its first sortie up; new flights have names that nobody had."""
    searched = _sorties
    monkeypatch.setattr("missions.replan._sorties", lambda *given: searched(*given)[1:])
    now = again(News())
    assert tasks(now.plan) == tasks(before)
    new = {c.sortie for c in now.changes if c.fate is Fate.NEW}
    assert new
    assert not new & {s.id for s in before.sorties}


def test_what_is_in_the_air_is_not_touched(again: Again, before: Plan) -> None:
    """Also not when its dock goes down: it flies on, and where it lands is not the planner's to say."""
    flying = next(s for s in before.sorties if s.dock == "east")
    now = again(News(docks_down=frozenset({"east"}), in_the_air=frozenset({flying.id})))
    assert flying in now.plan.sorties
    assert next(c.fate for c in now.changes if c.sortie == flying.id) is Fate.IN_THE_AIR
    assert all(not set(s.tasks) & set(flying.tasks) for s in now.plan.sorties if s != flying)


def test_a_late_drone_leaves_its_dock_to_the_other(again: Again, terrain: Terrain) -> None:
    now = again(News(drones_late=frozenset({"D3"})))
    assert "D3" not in {d.id for d in now.site.drones}
    assert check.faults(now.plan, now.site, terrain, longest_s=420) == ()


def test_an_urgent_look_is_added_and_most_sorties_stay(again: Again, before: Plan) -> None:
    urgent = Demand("smoke", "forestry", FIRE, square(-900, -700, 60), THERMAL, 120, 3600, priority=9)
    now = again(News(urgent=(urgent,)))
    assert "smoke" in {d for t in now.plan.tasks if t.id in tasks(now.plan) for d in t.demands}
    touched = [c for c in now.changes if c.fate in (Fate.CHANGED, Fate.NEW)]
    assert len(touched) == 1
    assert "urgent" in touched[0].why
    assert tasks(before) < tasks(now.plan)


def test_a_new_zone_is_flown_round(again: Again, before: Plan, many: Site, terrain: Terrain) -> None:
    zone = NoFly("Z9", square(0, -60, 60))
    crossing = check.faults(before, replace(many, no_fly=(zone,)), terrain)
    now = again(News(zones=(zone,)))
    assert crossing
    assert check.faults(now.plan, now.site, terrain, longest_s=420) == ()


def test_the_reasons_are_told_in_chinese_too(many: Site, before: Plan, terrain: Terrain) -> None:
    news = News(docks_down=frozenset({"east"}))
    now = replan(many, before, news, terrain=terrain, longest_s=420, language="zh-CN")
    assert "机巢 east 停用" in {c.why for c in now.changes}
