"""The live incidents found by place: the same answers as looking through all of them."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from missions.geo import LatLon, moved
from missions.model import Hazard
from vision.incidents import DecisionKind, absorb
from vision.model import Ellipse, IncidentState, Observation
from vision.openincidents import OpenIncidents


def scattered(seen: Observation, count: int, *, spread_m: float, seed: int = 1) -> list[Observation]:
    """Return observations at random places around one, each in a picture of its own."""
    rng = np.random.default_rng(seed)
    return [
        replace(
            seen,
            id=f"o{i}",
            shot=f"shot{i}",
            place=moved(seen.place, rng.uniform(0, 360), abs(rng.normal()) * spread_m),
            seen_at=seen.seen_at + timedelta(seconds=5 * i),
            area_m2=float(rng.uniform(1, 400)),
        )
        for i in range(count)
    ]


@pytest.mark.parametrize("where", [LatLon(30.28, 119.42), LatLon(69.6, 18.9), LatLon(-0.0001, 0.0001)])
def test_the_grid_decides_as_looking_through_all_would(seen_fire, where):
    """Also in the far north and across the equator: 150 observations, every decision alike."""
    live, all_of_them = OpenIncidents(), {}
    for seen in scattered(replace(seen_fire, place=where), 150, spread_m=120.0):
        decision = live.absorb(seen, now=seen.seen_at)
        plain = absorb(all_of_them.values(), seen, now=seen.seen_at)
        assert (decision.kind, decision.reason) == (plain.kind, plain.reason)
        assert plain.incident is not None
        for ended in plain.ended:
            del all_of_them[ended.id]
        all_of_them[plain.incident.id] = plain.incident
    assert {i.id: i for i in live} == all_of_them


def test_incidents_of_another_hazard_and_far_away_are_not_looked_at(seen_fire):
    live = OpenIncidents()
    live.absorb(seen_fire, now=seen_fire.seen_at)
    assert live.near(replace(seen_fire, hazard=Hazard.FLOOD)) == []
    assert live.near(replace(seen_fire, place=moved(seen_fire.place, 90.0, 2000.0))) == []
    assert len(live.near(replace(seen_fire, ellipse=Ellipse(900.0, 900.0, 0.0)))) == 1


def test_what_is_dropped_is_gone_and_may_be_dropped_again(seen_fire):
    live = OpenIncidents()
    opened = live.absorb(seen_fire, now=seen_fire.seen_at).incident
    assert opened is not None
    live.drop(opened.id)
    live.drop(opened.id)
    assert len(live) == 0
    assert live.near(seen_fire) == []


def test_age_fades_and_drops_what_is_over(seen_fire):
    live = OpenIncidents()
    live.absorb(seen_fire, now=seen_fire.seen_at)
    (faded,) = live.age(now=seen_fire.seen_at + timedelta(hours=3))
    assert faded.incident.state is IncidentState.FADING
    assert [i.state for i in live] == [IncidentState.FADING]
    live.age(now=seen_fire.seen_at + timedelta(hours=30))
    assert len(live) == 0


def test_a_merged_incident_leaves_the_grid(seen_fire):
    """Two fires 60 m apart, then one look whose ground lies over both."""
    live = OpenIncidents()
    far = moved(seen_fire.place, 90.0, 60.0)
    live.absorb(replace(seen_fire, area_m2=700.0), now=seen_fire.seen_at)
    live.absorb(replace(seen_fire, id="o2", shot="s2", place=far, area_m2=700.0), now=seen_fire.seen_at)
    assert len(live) == 2
    over = replace(seen_fire, id="o3", shot="s3", place=moved(seen_fire.place, 90.0, 30.0), area_m2=4000.0)
    assert live.absorb(over, now=seen_fire.seen_at).kind is DecisionKind.MERGED
    assert len(live) == 1
