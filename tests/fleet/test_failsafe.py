"""The table of faults, and the document that shows it."""

from pathlib import Path

import pytest

from fleet.bench.faultsite import HEIGHT_M, SHOTS, above_ground_m, places, sortie
from fleet.failsafe import FAULTS, End, table
from fleet.order import check_fence, order_from
from missions.geo import distance_m

DOCUMENT = Path(__file__).parents[2] / "docs" / "failsafe.md"


def test_the_document_shows_the_table_as_it_is():
    """To mend it: python -c "from fleet.failsafe import table; print(table())"."""
    assert table() in DOCUMENT.read_text(encoding="utf-8")


def test_forty_faults_and_more_have_names_of_their_own():
    """Each can be flown alone by its name."""
    assert len({f.id for f in FAULTS}) == len(FAULTS) >= 40


@pytest.mark.parametrize("end", End)
def test_every_end_is_met(end):
    """The table would be no table with one answer."""
    assert any(f.ends_on(autopilot) is end for f in FAULTS for autopilot in ("arducopter", "px4"))


def test_what_ends_badly_is_told():
    """A drone that stays in its dock or comes down elsewhere says why."""
    for fault in FAULTS:
        for autopilot in ("arducopter", "px4"):
            if fault.ends_on(autopilot) in (End.GROUND, End.ALTERNATE):
                assert fault.told_on(autopilot), fault.id


def test_each_fault_has_a_dock_and_an_alternate_of_its_own_in_the_valley():
    """Far enough from each other that landing in one is not landing in the other; clear of the ground."""
    chosen = places(10)
    docks = [p.dock.place for p in chosen]
    assert all(distance_m(a, b) > 40.0 for a in docks for b in docks if a != b)
    for place in chosen:
        order = order_from(sortie(place, "S").to_json())
        check_fence(order)
        assert order.shots == SHOTS
        assert distance_m(place.dock.place, place.alternate.place) > 100.0
        state = {"lat_deg": place.dock.lat_deg, "lon_deg": place.dock.lon_deg}
        over_m = above_ground_m(state | {"altitude_m": place.dock.elevation_m + HEIGHT_M})
        assert over_m == pytest.approx(HEIGHT_M, abs=0.5)
