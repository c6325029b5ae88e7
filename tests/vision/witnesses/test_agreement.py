"""What several witnesses make of one event: confidence, identity, and many hot spots at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from missions.geo import LatLon, distance_m, moved
from missions.model import Hazard
from vision.model import Ellipse, Incident, Observation
from vision.witnesses.agreement import agreed, raised
from vision.witnesses.gathering import Spots, ellipses, extents, gathered, is_static
from vision.witnesses.joining import Told, are_kin, attribute, claimed, worse
from vision.witnesses.sighting import Sighting, Witness

NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
HERE = LatLon(30.28, 119.42)


def sighting(place: LatLon = HERE, **changes: Any) -> Sighting:
    values: dict[str, Any] = {
        "id": "s1",
        "witness": Witness.RESIDENT,
        "source": "resident",
        "hazard": Hazard.SMOKE,
        "confidence": 0.4,
        "place": place,
        "ellipse": Ellipse(60.0, 60.0, 0.0),
        "seen_at": NOW,
    }
    return Sighting(**{**values, **changes})


def incident(place: LatLon = HERE, **changes: Any) -> Incident:
    values: dict[str, Any] = {
        "id": "i1",
        "hazard": Hazard.FIRE,
        "place": place,
        "ellipse": Ellipse(8.0, 6.0, 0.0),
        "confidence": 0.9,
        "opened_at": NOW,
        "seen_at": NOW,
        "looks": 3,
    }
    return Incident(**{**values, **changes})


def observation(place: LatLon, **changes: Any) -> Observation:
    values: dict[str, Any] = {
        "id": "o1",
        "hazard": Hazard.FIRE,
        "confidence": 0.8,
        "place": place,
        "ellipse": Ellipse(8.0, 6.0, 0.0),
        "seen_at": NOW + timedelta(minutes=5),
        "shot": "f1",
        "detector": "test 1",
        "area_m2": 2.0,
    }
    return Observation(**{**values, **changes})


def test_independent_witnesses_multiply_their_doubts() -> None:
    both = agreed({Witness.RESIDENT: 0.4, Witness.SATELLITE: 0.7})
    assert both == pytest.approx(1 - 0.6 * 0.3)
    assert agreed({}) == 0.0
    assert agreed({Witness.RANGER: 0.95, Witness.GAUGE: 0.95}) == 0.99


def test_a_second_word_of_one_class_adds_only_what_is_surer() -> None:
    """Ten residents see the same dust."""
    assert raised(0.82, before=0.4, now=0.4) == 0.82
    assert raised(0.82, before=0.4, now=0.3) == 0.82
    assert raised(0.82, before=0.4, now=0.5) == pytest.approx(1 - 0.18 * 0.5 / 0.6)


def test_raising_word_by_word_is_the_rule_for_all_at_once() -> None:
    step = raised(0.0, before=0.0, now=0.4)
    step = raised(step, before=0.0, now=0.7)
    step = raised(step, before=0.4, now=0.5)
    assert step == pytest.approx(agreed({Witness.RESIDENT: 0.5, Witness.SATELLITE: 0.7}))


def test_smoke_told_beside_a_fire_seen_is_the_same_event_and_does_not_move_it() -> None:
    known = Told(incident(), is_exact=True)
    found = attribute([known], sighting(moved(HERE, 90.0, 50.0)))
    assert found.incident is not None
    assert (found.incident.id, found.incident.place, found.incident.hazard) == ("i1", HERE, Hazard.FIRE)
    assert "50 m" in found.reason


def test_a_word_beyond_both_errors_tells_of_something_new() -> None:
    known = Told(incident(), is_exact=True)
    assert attribute([known], sighting(moved(HERE, 90.0, 200.0))).incident is None
    assert attribute([known], sighting(hazard=Hazard.FLOOD)).incident is None
    assert attribute([known], sighting(seen_at=NOW + timedelta(days=2))).incident is None


def test_two_words_about_one_place_narrow_it() -> None:
    first = incident(hazard=Hazard.SMOKE, ellipse=Ellipse(60.0, 60.0, 0.0), looks=0)
    found = attribute([Told(first, is_exact=False)], sighting(moved(HERE, 0.0, 40.0), hazard=Hazard.FIRE))
    assert found.incident is not None
    assert distance_m(found.incident.place, HERE) == pytest.approx(20.0, abs=0.5)
    assert found.incident.ellipse.major_m == pytest.approx(60 / 2**0.5, rel=0.01)
    assert found.incident.hazard is Hazard.FIRE


def test_a_drone_confirms_what_was_told_and_the_incident_keeps_its_name() -> None:
    told = incident(hazard=Hazard.SMOKE, ellipse=Ellipse(60.0, 60.0, 0.0), confidence=0.4, looks=0)
    seen = observation(moved(HERE, 45.0, 30.0))
    opened = incident(
        seen.place, id="new", confidence=0.8, opened_at=seen.seen_at, seen_at=seen.seen_at, looks=1
    )
    found = claimed([told], seen, opened)
    assert found is not None
    assert (found.id, found.hazard, found.place) == ("i1", Hazard.FIRE, seen.place)
    assert found.opened_at == NOW
    assert found.confidence == pytest.approx(1 - 0.6 * 0.2)
    assert claimed([told], observation(moved(HERE, 45.0, 300.0)), opened) is None
    assert claimed([told], observation(HERE, hazard=Hazard.FLOOD), opened) is None


def test_kin_hazards_are_one_event_and_the_worse_name_stays() -> None:
    assert are_kin(Hazard.SMOKE, Hazard.BURNING)
    assert not are_kin(Hazard.SMOKE, Hazard.FLOOD)
    assert worse(Hazard.SMOKE, Hazard.FIRE) is Hazard.FIRE
    assert worse(Hazard.FLOOD, Hazard.FLOOD) is Hazard.FLOOD


def spots(places: list[LatLon], hours: list[float], reach_m: float = 265.0) -> Spots:
    return Spots(
        np.array([p.lat_deg for p in places]),
        np.array([p.lon_deg for p in places]),
        np.full(len(places), reach_m),
        np.array(hours) * 3600.0,
    )


def test_a_fire_line_is_one_event_with_its_extent_and_what_lies_apart_is_another() -> None:
    front = [moved(HERE, 60.0, 375.0 * i) for i in range(30)]
    alone = moved(HERE, 150.0, 5000.0)
    found = spots([*front, alone], [0.0] * 31)
    events = gathered(found)
    assert len(set(events[:30].tolist())) == 1
    assert events[30] != events[0]
    shape = ellipses(extents(found, events, np.full(31, 1e4), np.full(31, 1e4)))[events[0]]
    assert shape[0] > 0.9 * 2.448 * 29 * 375 / 12**0.5
    assert shape[1] < 400
    assert shape[2] == pytest.approx(60.0, abs=1.0)


def test_what_touches_a_day_later_is_another_event() -> None:
    assert len(set(gathered(spots([HERE, HERE], [0.0, 23.0])).tolist())) == 1
    assert len(set(gathered(spots([HERE, HERE], [0.0, 25.0])).tolist())) == 2


def test_events_across_the_date_line_have_their_middle_there() -> None:
    found = spots([LatLon(65.0, 179.999), LatLon(65.0, -179.999)], [0.0, 0.0])
    events = gathered(found)
    assert len(set(events.tolist())) == 1
    assert abs(float(extents(found, events, np.zeros(2), np.zeros(2)).lon_deg[0])) == pytest.approx(
        180.0, abs=1e-6
    )


def test_what_is_hot_on_every_pass_and_never_moves_is_static_and_a_fire_that_spreads_is_not() -> None:
    hours = [0.0, 12.0, 24.0, 36.0, 48.0]
    flare = [moved(HERE, 70.0 * i, 60.0) for i in range(5)]
    assert is_static(spots(flare, hours)).all()
    assert not is_static(spots(flare[:3], hours[:3])).any()
    spreading = [moved(HERE, 90.0, 300.0 * i) for i in range(5) for _ in range(3)]
    assert not is_static(spots(spreading, [h for h in hours for _ in range(3)])).any()
