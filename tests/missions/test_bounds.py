"""A sortie's fence holds all of it, keeps out of what is shut, and lands only where the way is open."""

from dataclasses import replace

from shapely.geometry import Point, Polygon

from missions.bounds import bounds_of
from missions.geo import Area, LatLon, LocalFrame, distance_m, moved
from missions.model import NoFly, Plan, Site


def square(centre: LatLon, side_m: float) -> Area:
    return Area(tuple(moved(centre, bearing, side_m / 2**0.5) for bearing in (45, 135, 225, 315)))


def test_the_fence_holds_the_whole_sortie_with_room_to_spare(planned: Plan, site: Site) -> None:
    for sortie in planned.sorties:
        bounds = bounds_of(sortie, site.docks, site.no_fly)
        frame = LocalFrame(bounds.inside[0])
        fence = Polygon([frame.to_local(p) for p in bounds.inside])
        places = [w.place for w in sortie.waypoints] + [dock.place for dock in bounds.landings]
        assert min(fence.exterior.distance(Point(frame.to_local(p))) for p in places) > 90
        assert all(fence.contains(Point(frame.to_local(p))) for p in places)
        assert len(bounds.inside) <= 40


def test_only_shut_areas_beside_the_way_are_cut_out_of_the_fence(planned: Plan, site: Site) -> None:
    sortie = planned.sorties[0]
    below = NoFly("below", square(sortie.shots[0].place, 40), ceiling_m=1.0)
    far = NoFly("far", square(moved(site.docks[0].place, 0, 50_000), 40))
    assert bounds_of(sortie, site.docks, (below, far)).outside == ()
    home = next(d for d in site.docks if d.id == sortie.dock)
    beside = next(
        place
        for bearing in range(0, 360, 10)
        if min(distance_m(place := moved(home.place, bearing, 60), w.place) for w in sortie.waypoints) > 40
    )
    assert len(bounds_of(sortie, site.docks, (NoFly("beside", square(beside, 8)),)).outside) <= 1


def test_a_dock_behind_a_shut_area_is_no_landing(planned: Plan, site: Site) -> None:
    sortie = planned.sorties[0]
    other = next(d for d in site.docks if d.id != sortie.dock)
    assert [d.id for d in bounds_of(sortie, site.docks, ()).landings] == [other.id]
    lone = replace(other, place=moved(other.place, 45, 900))
    docks = (next(d for d in site.docks if d.id == sortie.dock), lone)
    wall = NoFly("wall", square(lone.place, 30))
    assert bounds_of(sortie, docks, (wall,)).landings == ()
    assert len(bounds_of(sortie, docks, ()).landings) == 1


def test_the_nearest_landings_come_first(planned: Plan, site: Site) -> None:
    sortie = planned.sorties[0]
    home = next(d for d in site.docks if d.id == sortie.dock)
    others = [replace(home, id=f"d{n}", place=moved(home.place, 40 * n, 300 + 200 * n)) for n in range(1, 8)]
    landings = bounds_of(sortie, (*site.docks, *others[::-1]), ()).landings
    lengths = [distance_m(home.place, dock.place) for dock in landings]
    assert lengths == sorted(lengths)
    assert len(landings) == 4
