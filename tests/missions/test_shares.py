"""Shares add up to the plan, and who shares a picture pays a part of it."""

import pytest

from missions.model import Plan
from missions.shares import shares


def test_the_shares_of_a_plan_add_up_to_it(planned: Plan) -> None:
    made = shares(planned)
    assert sum(s.part for s in made) == pytest.approx(1.0)
    assert sum(s.flight_s for s in made) == pytest.approx(planned.flight_s)
    assert sum(s.energy_wh for s in made) == pytest.approx(planned.energy_wh)
    assert [s.part for s in made] == sorted((s.part for s in made), reverse=True)


def test_every_look_counts_for_everybody_it_serves(planned: Plan) -> None:
    made = {s.agency: s for s in shares(planned)}
    shots = [shot for sortie in planned.sorties for shot in sortie.shots]
    for agency, share in made.items():
        assert share.looks == sum(agency in shot.agencies for shot in shots)
        assert share.shared_looks <= share.looks


def test_a_plan_without_flights_has_no_shares() -> None:
    assert shares(Plan("s", 1, (), (), ())) == ()
