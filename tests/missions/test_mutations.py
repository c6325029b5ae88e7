"""A thousand plans broken at random: the checker refuses 99 in 100, whatever was broken."""

import pytest

from missions.bench.checker import MUTANTS, refusals
from missions.model import Plan, Site
from missions.terrain import Terrain


@pytest.mark.slow
def test_broken_plans_are_refused(planned: Plan, site: Site, terrain: Terrain) -> None:
    refused, tried = refusals(planned, site, terrain, mutants=MUTANTS, seed=20261122)
    assert tried.total() == MUTANTS
    assert refused.total() >= 0.99 * MUTANTS, tried - refused
