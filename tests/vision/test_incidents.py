"""Which observations are one event."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from missions.geo import Area, LatLon, distance_m, moved
from missions.model import Hazard
from vision.incidents import Decision, DecisionKind, absorb
from vision.inspection import joined
from vision.model import Ellipse, IncidentState, Observation

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


def test_a_felling_longer_than_a_picture_is_one_incident_whose_parts_are_kept():
    """Its track, both, the patch alone: the middles lie up to 100 m apart, their ground overlaps."""
    track = seen_ground(1, from_m=0.0, to_m=30.0, high_m=4.0)
    both = seen_ground(2, from_m=0.0, to_m=140.0, high_m=13.0)
    patch = seen_ground(3, from_m=95.0, to_m=140.0, high_m=35.0)
    incident = incident_of(absorb([], track, now=NOW))
    for seen in (both, patch):
        decision = absorb([incident], seen, now=NOW)
        assert decision.kind is DecisionKind.JOINED
        incident = incident_of(decision)
    assert len(incident.spots) == 3
    assert incident.area_m2 == max(track.area_m2, both.area_m2, patch.area_m2)


def test_the_far_end_of_a_track_belongs_to_the_felling_that_it_leaves():
    felling = replace(seen_ground(1, from_m=0.0, to_m=60.0, high_m=25.0), area_m2=1500.0)
    along = (moved(HERE, 90.0, 120.0), moved(moved(HERE, 90.0, 120.0), 180.0, 4.0))
    whole = replace(felling, outline=Area((*felling.outline.outer[:2], *along, *felling.outline.outer[2:])))
    end = seen_ground(2, from_m=100.0, to_m=140.0, high_m=4.0)
    assert absorb([incident_of(absorb([], whole, now=NOW))], end, now=NOW).kind is DecisionKind.JOINED
    assert absorb([incident_of(absorb([], felling, now=NOW))], end, now=NOW).kind is DecisionKind.OPENED


def seen_ground(number: int, *, from_m: float, to_m: float, high_m: float) -> Observation:
    """Return a look at a rectangle of felled ground that runs eastwards."""
    west, east = moved(HERE, 90.0, from_m), moved(HERE, 90.0, to_m)
    ring = (west, east, moved(east, 180.0, high_m), moved(west, 180.0, high_m))
    middle, area_m2 = moved(HERE, 90.0, (from_m + to_m) / 2), (to_m - from_m) * high_m
    seen = look(number, hazard=Hazard.LOGGING, area_m2=area_m2)
    return replace(seen, place=moved(middle, 180.0, high_m / 2), outline=Area(ring), temp_max_c=None)


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


def apart(number: int, east_m: float, *, shot: str = "", area_m2: float = 2.0, minutes: float = 0.0):
    """Return a fire seen so far east of the usual place, in a picture of its own unless one is named."""
    seen = look(number, away_m=abs(east_m), bearing=90.0 if east_m >= 0 else 270.0, area_m2=area_m2)
    return replace(seen, shot=shot or f"p{number}", seen_at=NOW + timedelta(minutes=minutes))


def all_of(observations) -> dict:
    """Return the live incidents after many observations, by id."""
    live: dict = {}
    for seen in observations:
        decision = absorb(live.values(), seen, now=seen.seen_at)
        for ended in decision.ended:
            del live[ended.id]
        live[incident_of(decision).id] = decision.incident
    return live


def test_a_fire_line_of_a_thousand_observations_is_one_incident():
    """A kilometre of flames, a source every 10 m, ten in a picture, seen by ten pictures each way."""
    line = [
        apart(1000 * sweep + i, 10.0 * i, shot=f"s{sweep}-{i // 10}", minutes=sweep)
        for sweep in range(10)
        for i in range(100)
    ]
    (incident,) = all_of(line).values()
    assert incident.looks == 1000
    assert 60 <= len(incident.spots) <= 200
    middle_m = distance_m(HERE, incident.place)
    assert middle_m == pytest.approx(495.0, abs=40.0)


def test_two_sources_in_one_picture_stay_two_however_badly_it_was_placed():
    """28 m apart with ellipses of 25 m they would join; one picture that shows both knows better."""
    wide = Ellipse(25.0, 25.0, 0.0)
    one, other = apart(1, 0.0, shot="p"), apart(2, 28.0, shot="p")
    live = all_of([replace(one, ellipse=wide), replace(other, ellipse=wide)])
    assert len(live) == 2


def test_fires_that_grow_together_merge_and_keep_both_histories():
    """Two fires 80 m apart; an hour later one look covers the ground of both."""
    first, second = apart(1, 0.0, area_m2=900.0), apart(2, 80.0, area_m2=900.0, minutes=1)
    live = all_of([first, second])
    assert len(live) == 2
    over = apart(3, 40.0, area_m2=7000.0, minutes=60)
    decision = absorb(live.values(), over, now=over.seen_at)
    assert decision.kind is DecisionKind.MERGED
    whole = incident_of(decision)
    (ended,) = decision.ended
    assert ended.state is IncidentState.CLOSED
    assert whole.merged == (ended.id,)
    assert whole.opened_at == first.seen_at
    assert set(whole.observations) == {"o1", "o2", "o3"}
    assert whole.looks == 3
    assert "goes on in" in decision.reason


def test_small_fires_near_each_other_do_not_merge():
    """A look between two sources 50 m apart joins one of them."""
    live = all_of([apart(1, 0.0), apart(2, 50.0), apart(3, 12.0, minutes=1)])
    assert len(live) == 2


def test_parts_of_one_flood_are_one_however_the_dry_ground_between_parts_them():
    """Sheets of water 50 m apart, edge to edge, are one; 90 m apart stay two until one lies between."""
    sheets = [
        replace(look(n, hazard=Hazard.FLOOD, away_m=m, area_m2=300.0), temp_max_c=None)
        for n, m in ((1, 0.0), (2, 70.0), (3, 180.0))
    ]
    live = all_of(sheets)
    assert sorted(len(i.observations) for i in live.values()) == [1, 2]
    between = replace(look(4, hazard=Hazard.FLOOD, away_m=125.0, area_m2=300.0), temp_max_c=None)
    (whole,) = all_of([*sheets, between]).values()
    assert set(whole.observations) == {"o1", "o2", "o3", "o4"}


def test_two_incidents_that_further_looks_bring_to_one_place_become_one():
    """One bad first look 28 m off opened a second incident; the looks that follow draw it in."""
    blurred = replace(apart(2, 28.0, minutes=1), ellipse=Ellipse(9.0, 9.0, 0.0))
    nearer = [
        replace(apart(3 + i, 14.0 - 3 * i, minutes=2 + i), ellipse=Ellipse(9.0, 9.0, 0.0)) for i in range(5)
    ]
    assert len(all_of([apart(1, 0.0), blurred, *nearer])) == 1


def test_an_incident_grows_when_its_area_does():
    small, large = apart(1, 0.0, area_m2=20.0), apart(2, 0.0, area_m2=60.0, minutes=5)
    (incident,) = all_of([small, large]).values()
    assert incident.state is IncidentState.GROWING
    (still,) = all_of([small, large, apart(3, 0.0, area_m2=62.0, minutes=10)]).values()
    assert still.state is IncidentState.OPEN


def test_what_looks_alike_is_preferred_where_two_incidents_are_as_near():
    hot, cool = replace(apart(1, -14.0), temp_max_c=480.0), replace(apart(2, 14.0), temp_max_c=120.0)
    live = all_of([hot, cool])
    assert len(live) == 2
    decision = absorb(live.values(), replace(apart(3, 0.0, minutes=1), temp_max_c=470.0), now=NOW)
    assert "o1" in incident_of(decision).observations


def test_every_joining_says_how_far_and_how_many_deviations():
    live = all_of([apart(1, 0.0)])
    reason = absorb(live.values(), apart(2, 10.0, minutes=1), now=NOW).reason
    assert "m from the incident" in reason
    assert "deviations" in reason


def test_an_observation_from_the_future_is_seen_now():
    seen = replace(apart(1, 0.0), seen_at=NOW + timedelta(days=400))
    incident = incident_of(absorb([], seen, now=NOW))
    assert incident.seen_at == incident.opened_at == NOW
