"""Who flies in a simulation, and where each stands."""

from missions.geo import distance_m
from missions.model import Site
from sim.simulation import MOST_SYSTEMS, PAD_SPACING_M, crew, pads


def test_without_a_number_the_sites_own_drones_fly(valley: Site) -> None:
    assert crew(valley, None) == valley.drones
    assert crew(valley, 2) == valley.drones[:2]


def test_more_drones_than_the_site_has_are_of_the_like_with_names_of_their_own(valley: Site) -> None:
    drones = crew(valley, 300)
    assert len({d.id for d in drones}) == 300
    assert drones[: len(valley.drones)] == valley.drones
    assert {d.dock for d in drones} == {d.id for d in valley.docks}
    ids = [d.system_id for d in drones]
    assert len(set(ids[:MOST_SYSTEMS])) == MOST_SYSTEMS
    assert max(ids) <= MOST_SYSTEMS


def test_the_sites_own_drones_keep_their_pads_beside_any_number_of_others(valley: Site) -> None:
    alone = pads(valley, crew(valley, None))
    among = pads(valley, crew(valley, 100))
    assert among[: len(alone)] == alone


def test_no_two_drones_of_a_dock_share_a_pad(valley: Site) -> None:
    drones = crew(valley, 60)
    for dock in valley.docks:
        spots = [p for d, p in zip(drones, pads(valley, drones), strict=True) if d.dock == dock.id]
        nearest = min(distance_m(a, b) for i, a in enumerate(spots) for b in spots[:i])
        assert nearest > PAD_SPACING_M * 0.9
