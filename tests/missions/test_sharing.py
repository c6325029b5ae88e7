"""Agencies that want the same ground fly together; what that saves is measured on proven plans."""

from pathlib import Path

import pytest

from missions.bench import sharing


@pytest.mark.slow
@pytest.mark.parametrize(("overlap", "least"), [(0.0, 0.0), (0.5, 0.3)])
def test_flying_together_never_costs_more(overlap: float, least: float, tmp_path: Path) -> None:
    terrain = sharing.hills(tmp_path / "hills.tif")
    site = sharing.site_of(overlap, terrain)
    shared, alone = sharing.compare(site, terrain, iterations=40)
    assert 1 - shared.flight_s / sum(plan.flight_s for plan in alone) >= least
    assert {agency for sortie in shared.sorties for agency in sortie.agencies} == set(sharing.AGENCIES)


@pytest.mark.parametrize("overlap", sharing.OVERLAPS)
def test_every_agency_asks_for_as_much_ground_whatever_is_shared(overlap: float, tmp_path: Path) -> None:
    site = sharing.site_of(overlap, sharing.hills(tmp_path / "hills.tif"))
    frame = sharing.LocalFrame(sharing.ORIGIN)
    for agency in sharing.AGENCIES:
        grounds = [frame.polygon(d.where).area for d in site.demands if d.agency == agency]
        assert sum(grounds) == pytest.approx(sharing.GROUND_M2, rel=1e-3)
