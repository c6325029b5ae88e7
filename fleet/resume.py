"""What is left of a sortie that was cut: the same way with the pictures that are missing (pure).

A sortie may be cut anywhere: by a recall, a battery, a fault, a killed gateway.
What need not be taken again is told by records of the cameras, never by how far
the drone came. The rest keeps the order, the way and the camera's attitude of the
sortie it is of, so a picture taken in it shows what was planned; the shot at the
cut may be taken twice, and none is missed.

    take off · climb as high as the sortie flies · to the waypoint before the first
    missing shot · on as planned, camera and speed restored · home after the last

The way there and back is straight at the greatest height of the sortie, as the
way home always is. Where the fence stands in between, it is flown along the
planned waypoints instead.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise

from fleet.order import DockPlace, SortieOrder, check, check_fence
from fleet.zones import Fence
from missions.geo import LatLon, distance_m
from missions.items import (
    DO_CHANGE_SPEED,
    DO_MOUNT_CONTROL,
    FRAME_ABOVE_HOME,
    NAV_TAKEOFF,
    NAV_WAYPOINT,
    MissionItem,
)

_STATE = (DO_CHANGE_SPEED, DO_MOUNT_CONTROL)  # what must hold again where a sortie goes on
_LEAST_S = 60.0
_CLIMB_M_S = 2.5


def rest_of(
    order: SortieOrder,
    proven: Collection[int],
    *,
    id: str,
    drone: str | None = None,
    dock: DockPlace | None = None,
) -> SortieOrder | None:
    """Return the order that takes every shot not proven, None where none is missing.

    It may be flown by another drone and from another dock; heights above the dock
    are then changed so that the drone flies where it would have flown.

    Raises:
        PlanRefused: from that dock it must not be flown so.
    """
    missing = {i.shot for i in order.items if i.shot is not None} - set(proven)
    if not missing:
        return None
    start = dock or order.dock
    way = [i for i in order.items if i.command in (NAV_WAYPOINT, *_STATE) or i.shot is not None]
    first = next(n for n, i in enumerate(way) if i.shot in missing)
    last = max(n for n, i in enumerate(way) if i.shot in missing)
    begin = _run_in(way, first)
    kept = [i for i in way[begin : last + 1] if i.shot is None or i.shot in missing]
    there = _approach(order, start, way[:begin], kept[0])
    back = _way_back(order, start, way[last + 1 :], kept)
    end = order.items[-1]
    takeoff = _takeoff(order, start, there or kept)
    before = _in_force(way[:begin])
    raised_m = order.dock.elevation_m - start.elevation_m
    items = [takeoff, *before, *there, *kept, *back]
    rest = replace(
        order,
        id=id,
        drone=drone or order.drone,
        dock=start,
        items=(*(_raised(i, raised_m) for i in items), end),
        shots=len(missing),
        landings=tuple(a for a in order.landings if a.id != start.id),
    )
    rest = replace(rest, expected_s=_expected_s(order, rest))
    check(rest.items)
    check_fence(rest)
    return rest if rest.fits else replace(rest, landings=())


def _run_in(way: Sequence[MissionItem], first: int) -> int:
    """Return where to begin so that the first missing shot is come to as it was planned: on its leg."""
    before = [n for n in range(first) if way[n].command == NAV_WAYPOINT]
    return before[-2] if len(before) >= 2 else before[-1] if before else first


def _in_force(before: Sequence[MissionItem]) -> list[MissionItem]:
    """Return the last speed and the last attitude of the camera that were ordered."""
    last = {i.command: i for i in before if i.command in _STATE}
    return [last[command] for command in _STATE if command in last]


def _takeoff(order: SortieOrder, start: DockPlace, then: Sequence[MissionItem]) -> MissionItem:
    """Return the climb over the dock: as high as what comes next, never lower than planned."""
    planned = order.items[0]
    next_m = then[0].altitude_m if then[0].frame == FRAME_ABOVE_HOME else order.highest_m
    return replace(
        planned,
        command=NAV_TAKEOFF,
        lat_deg=round(start.lat_deg, 7),
        lon_deg=round(start.lon_deg, 7),
        altitude_m=max(planned.altitude_m, next_m),
    )


def _approach(
    order: SortieOrder, start: DockPlace, before: Sequence[MissionItem], entry: MissionItem
) -> list[MissionItem]:
    over = replace(entry, frame=FRAME_ABOVE_HOME, altitude_m=order.highest_m, shot=None)
    if Fence(order.fence).breach(start.place, _place(over)) is None:
        return [over]
    return [i for i in before if i.command == NAV_WAYPOINT]


def _way_back(
    order: SortieOrder, start: DockPlace, after: Sequence[MissionItem], kept: Sequence[MissionItem]
) -> list[MissionItem]:
    here = next(i for i in reversed(kept) if i.command == NAV_WAYPOINT)
    if Fence(order.fence).breach(_place(here), start.place) is None:
        return []
    return [i for i in after if i.command == NAV_WAYPOINT]


def _raised(item: MissionItem, by_m: float) -> MissionItem:
    placed = item.command in (NAV_TAKEOFF, NAV_WAYPOINT) and item.frame == FRAME_ABOVE_HOME
    return replace(item, altitude_m=round(item.altitude_m + by_m, 2)) if placed else item


def _expected_s(order: SortieOrder, rest: SortieOrder) -> float:
    """Return how long the rest should take: as long a metre as the sortie, and its own climb."""
    share = _path_m(rest) / max(1.0, _path_m(order))
    climb_s = 2 * rest.highest_m / (rest.climb_m_s or _CLIMB_M_S)
    return max(_LEAST_S, order.expected_s * share + climb_s)


def _path_m(order: SortieOrder) -> float:
    places = [order.dock.place, *(_place(i) for i in order.items if i.command == NAV_WAYPOINT)]
    return sum(distance_m(a, b) for a, b in pairwise([*places, order.dock.place]))


def _place(item: MissionItem) -> LatLon:
    return LatLon(item.lat_deg, item.lon_deg)
