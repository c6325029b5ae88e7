"""Which observations are one event."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from missions.geo import LatLon, distance_m, moved
from missions.model import Hazard
from vision.incidents import Decision, DecisionKind, absorb
from vision.inspection import joined
from vision.model import Ellipse, Observation

HERE = LatLon(30.28, 119.42)
NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)


def look(
    number: int = 1,
    *,
    away_m: float = 0.0,
    bearing: float = 0.0,
    hazard: Hazard = Hazard.FIRE,
    ellipse: Ellipse | None = None,
    area_m2: float | None = 2.0,
    confidence: float = 0.8,
) -> Observation:
    """Return a fire seen `away_m` from the usual place, within 7 m."""
    return Observation(
        id=f"o{number}",
        hazard=hazard,
        confidence=confidence,
        place=moved(HERE, bearing, away_m),
        ellipse=ellipse or Ellipse(7.0, 7.0, 0.0),
        seen_at=NOW + timedelta(seconds=5 * number),
        shot=f"shot{number}",
        detector="test 1",
        area_m2=area_m2,
        temp_max_c=400.0 + number,
    )


def incident_of(decision: Decision):
    assert decision.incident is not None
    return decision.incident


@pytest.fixture
def opened():
    return incident_of(absorb([], look(1), now=NOW))


def test_the_first_sight_of_a_fire_opens_an_incident(opened):
    assert distance_m(opened.place, HERE) < 0.001
    assert (opened.looks, opened.opened_at) == (1, NOW)  # the camera's clock runs five seconds ahead
    assert opened.best_shot == "shot1"


def test_the_same_observation_makes_the_same_incident_id(opened):
    assert incident_of(absorb([], look(1), now=NOW + timedelta(hours=1))).id == opened.id


@pytest.mark.parametrize(
    ("away_m", "ellipse", "kind"),
    [
        (0.0, Ellipse(7, 7, 0), DecisionKind.JOINED),
        (12.0, Ellipse(7, 7, 0), DecisionKind.JOINED),
        (28.0, Ellipse(7, 7, 0), DecisionKind.OPENED),
        (28.0, Ellipse(25, 7, 0), DecisionKind.JOINED),
        (28.0, Ellipse(25, 7, 90), DecisionKind.OPENED),
        (50.0, Ellipse(25, 25, 0), DecisionKind.OPENED),
        (50.0, Ellipse(55, 55, 0), DecisionKind.OPENED),
        (150.0, Ellipse(200, 200, 0), DecisionKind.JOINED),
        (250.0, Ellipse(200, 200, 0), DecisionKind.OPENED),
    ],
)
def test_a_look_joins_when_both_ellipses_allow_it(opened, away_m, ellipse, kind):
    """North of the incident: a long ellipse helps along its length and not across it.

    What a drone saw badly never joins over 50 m; a satellite's pixel joins the fire it covers.
    """
    seen = look(2, away_m=away_m, ellipse=ellipse)
    assert absorb([opened], seen, now=NOW).kind is kind


def test_a_hot_spot_is_ignored_with_a_reason(opened):
    decision = absorb([opened], look(2, hazard=Hazard.HOT_SPOT), now=NOW)
    assert decision.kind is DecisionKind.IGNORED
    assert "hot spot" in decision.reason


def test_an_observation_seen_twice_counts_once(opened):
    decision = absorb([opened], look(1), now=NOW)
    assert decision.kind is DecisionKind.IGNORED
    assert decision.incident == opened


def test_another_hazard_at_the_same_place_is_another_incident(opened):
    assert absorb([opened], look(2, hazard=Hazard.SMOKE), now=NOW).kind is DecisionKind.OPENED


def test_the_nearest_of_two_incidents_is_joined(opened):
    other = incident_of(absorb([], look(9, away_m=30.0), now=NOW))
    decision = absorb([opened, other], look(2, away_m=22.0), now=NOW)
    assert incident_of(decision).id == other.id


def test_a_sharp_look_moves_the_place_more_than_a_blurred_one(opened):
    sharp = incident_of(absorb([opened], look(2, away_m=8.0, ellipse=Ellipse(3, 3, 0)), now=NOW))
    blurred = incident_of(absorb([opened], look(2, away_m=8.0, ellipse=Ellipse(12, 12, 0)), now=NOW))
    assert distance_m(HERE, sharp.place) > 4 > distance_m(HERE, blurred.place)


def test_more_looks_are_more_certain_but_never_certain(opened):
    incident = opened
    for n in range(2, 30):
        incident = incident_of(absorb([incident], look(n), now=NOW))
    assert 0.95 < incident.confidence <= 0.99
    assert incident.looks == 29
    assert incident.temp_max_c == 429.0


def test_the_ellipse_shrinks_with_looks_but_not_below_the_shared_drift(opened):
    """Half the variance is drift: many looks of 7 m leave at least 7 / sqrt(2) = 4.95 m."""
    incident = opened
    for n in range(2, 30):
        incident = incident_of(absorb([incident], look(n), now=NOW))
    assert 4.9 < incident.ellipse.major_m < 5.3


def test_looks_are_averaged(opened):
    """Places drawn around the truth settle on it: white error of 2 m over the eight looks kept is 1 m."""
    rng = np.random.default_rng(4)
    incident = opened
    for n in range(2, 42):
        seen = look(n, away_m=abs(rng.normal(0, 2.8)), bearing=rng.uniform(0, 360))
        incident = incident_of(absorb([incident], seen, now=NOW))
    assert distance_m(HERE, incident.place) < 2.0


def test_large_fires_join_edge_to_edge(opened):
    """Two sightings of a 700 m2 fire 25 m apart are the same fire: each reaches 15 m."""
    wide = replace(opened, area_m2=700.0)
    assert absorb([wide], look(2, away_m=25.0, area_m2=700.0), now=NOW).kind is DecisionKind.JOINED


def test_a_flight_over_two_fires_fifty_metres_apart_ends_with_two_incidents():
    """At any of 50 random errors, in any order."""
    rng = np.random.default_rng(8)
    for _ in range(50):
        looks = [
            look(2 * n + side, away_m=50.0 * side + rng.normal(0, 2), bearing=0.0)
            for n in range(4)
            for side in (0, 1)
        ]
        assert len(joined(rng.permutation(np.array(looks, dtype=object)))) == 2
