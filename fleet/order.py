"""A sortie as the gateway is ordered to fly it, checked before the first byte goes out.

The order is self-contained: where the dock is, the neutral items, how many
pictures are planned and how long it should take. It travels as JSON from the
hub and stays in the journal, so a restarted gateway still knows what flies.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from fleet.errors import PlanRefused
from fleet.zones import Fence, Landing, Zone, landing_from, zone_from
from missions.geo import BadPlace, Floats, LatLon
from missions.items import (
    CAMERA_MODE,
    COMMANDS,
    DO_CHANGE_SPEED,
    DO_MOUNT_CONTROL,
    FRAME_ABOVE_HOME,
    IMAGE_STOP_CAPTURE,
    NAV_LAND,
    NAV_RETURN_TO_LAUNCH,
    NAV_TAKEOFF,
    NAV_WAYPOINT,
    MissionItem,
    highest_m,
)

FRAME_ABOVE_TERRAIN = 10
ITEM_LIMIT = 650  # what ArduCopter stores, home included
_WITH_PLACE = frozenset({NAV_TAKEOFF, NAV_WAYPOINT})
_TOLD = 5  # problems named in one refusal
_NOTHING = (0.0, 0.0, 0.0, 0.0)

Ground = Callable[[Floats, Floats], Floats]
"""Heights above mean sea level at latitudes and longitudes in degrees, NaN where nobody knows them."""


@dataclass(frozen=True, slots=True)
class DockPlace:
    """Where a sortie starts and ends; `elevation_m` above mean sea level."""

    id: str
    lat_deg: float
    lon_deg: float
    elevation_m: float

    @property
    def place(self) -> LatLon:
        return LatLon(self.lat_deg, self.lon_deg)


@dataclass(frozen=True, slots=True)
class SortieOrder:
    """One sortie to be flown by one drone.

    `battery_percent` is what the battery must hold at the start and
    `max_wind_m_s` the most wind at the dock. The drone's own settings stand
    where the speeds up and down are None.
    """

    id: str
    drone: str
    dock: DockPlace
    items: tuple[MissionItem, ...]
    shots: int
    expected_s: float
    battery_percent: float = 40.0
    max_wind_m_s: float = 12.0
    climb_m_s: float | None = None
    descent_m_s: float | None = None
    landings: tuple[Landing, ...] = ()
    fence: tuple[Zone, ...] = ()

    @property
    def rally(self) -> tuple[Landing, ...]:
        """The rally points among the landings: what the autopilot itself may return to."""
        return tuple(a for a in self.landings if not a.is_dock)

    @property
    def ways(self) -> tuple[Landing, ...]:
        """The landings a drone can be diverted to: a way to each stands behind the mission."""
        return tuple(a for a in self.landings if a.has_way)

    @property
    def fits(self) -> bool:
        """Whether the ways to its landings find room behind its mission."""
        return len(self.flown(climbs_in_place=True)[0]) + 1 <= ITEM_LIMIT

    def landing(self, landing_id: str) -> Landing | None:
        """Return the landing of this id that a drone can be diverted to, None if there is none."""
        return next((a for a in self.ways if a.id == landing_id), None)

    @property
    def fastest_m_s(self) -> float | None:
        """The greatest speed over ground on the way, None if no item sets one."""
        return max((i.params[1] for i in self.items if i.command == DO_CHANGE_SPEED), default=None)

    @property
    def highest_m(self) -> float:
        """The greatest height above the dock on the way."""
        return highest_m(self.items)

    def flown(self, *, climbs_in_place: bool) -> tuple[tuple[MissionItem, ...], dict[str, int]]:
        """Return what is put on board, and where in it (from 0) the way to each landing begins.

        The landings stand behind the way home, where only a jump leads: a diverted
        drone needs no upload in the air and goes on when the gateway is silent.
        It first climbs to the greatest height of the sortie, as the way home does;
        `climbs_in_place` says that a take-off in the air does that.
        """
        items, starts = list(self.items), dict[str, int]()
        for landing in self.ways:
            starts[landing.id] = len(items)
            items += _landing_items(landing, self.highest_m, self.dock.elevation_m, climbs_in_place)
        return tuple(items), starts

    def looks(self) -> tuple[tuple[float | None, bool], ...]:
        """Return for each item, and for the end, how the items before it pitch the camera and whether they
        blind it."""
        pitch_deg, is_blind = None, False
        looks: list[tuple[float | None, bool]] = [(pitch_deg, is_blind)]
        for item in self.items:
            if item.command == DO_MOUNT_CONTROL:
                pitch_deg = item.params[0]
            elif item.command in (IMAGE_STOP_CAPTURE, CAMERA_MODE):
                is_blind = item.command == IMAGE_STOP_CAPTURE
            looks.append((pitch_deg, is_blind))
        return tuple(looks)

    def shot_places(self) -> dict[int, LatLon]:
        """Return where each planned picture is taken: the last place before it."""
        places: dict[int, LatLon] = {}
        here = self.dock.place
        for item in self.items:
            if item.command in _WITH_PLACE:
                here = LatLon(item.lat_deg, item.lon_deg)
            if item.shot is not None:
                places[item.shot] = here
        return places

    def to_json(self) -> dict[str, Any]:
        """Return the order as plain JSON values."""
        return asdict(self)


def order_from(value: Mapping[str, Any]) -> SortieOrder:
    """Return the order that JSON values say, checked.

    Raises:
        PlanRefused: a value is missing or of the wrong kind, or the mission must not be flown.
    """
    try:
        order = SortieOrder(
            id=_id(value["id"]),
            drone=str(value["drone"]),
            dock=dock_from(value["dock"]),
            items=tuple(_item(item) for item in value["items"]),
            shots=int(_within(value, "shots", 0, 1e5)),
            expected_s=_within(value, "expected_s", 0, 86_400),
            battery_percent=_within(value, "battery_percent", 0, 100, 40.0),
            max_wind_m_s=_within(value, "max_wind_m_s", 0, 100, 12.0),
            climb_m_s=_speed(value, "climb_m_s"),
            descent_m_s=_speed(value, "descent_m_s"),
            landings=tuple(landing_from(a) for a in value.get("landings") or ()),
            fence=tuple(zone_from(z) for z in value.get("fence") or ()),
        )
    except (KeyError, TypeError, ValueError, BadPlace) as error:
        raise PlanRefused((f"the order cannot be read ({error!r})",)) from None
    check(order.items)
    check_fence(order)
    return order if order.fits else replace(order, landings=())  # a mission matters more than a way out of it


def dock_from(value: Mapping[str, Any]) -> DockPlace:
    """Return the dock that JSON values say.

    Raises:
        KeyError, TypeError, ValueError: they say none.
    """
    place = float(value["lat_deg"]), float(value["lon_deg"])
    return DockPlace(str(value["id"]), *place, float(value["elevation_m"]))


def check(items: Sequence[MissionItem]) -> None:
    """Pass a mission that may be sent; items are counted from 1, as 0 is home.

    Raises:
        PlanRefused: names each item that is wrong and why.
    """
    problems = _list_problems(items)
    for number, item in enumerate(items, start=1):
        problems += [f"item {number} {why}" for why in _item_problems(item)]
    _refuse(problems)


def check_fence(order: SortieOrder) -> None:
    """Pass an order whose mission and landings lie within its fence.

    Raises:
        PlanRefused: names each item that leaves it.
    """
    fence = Fence(order.fence)
    placed = [("the dock", order.dock.place), *_places(order.items)]
    if order.items[-1].command == NAV_RETURN_TO_LAUNCH:
        placed.append(("the way home", order.dock.place))
    problems = [
        f"{name} {why} on its way from {before}"
        for (before, start), (name, end) in pairwise(placed)
        if (why := fence.breach(start, end))
    ]
    problems += [
        f"landing {landing.id} {why}" for landing in order.landings if (why := fence.breach(landing.place))
    ]
    _refuse(problems)


def check_ground(order: SortieOrder, ground: Ground) -> None:
    """Pass an order whose heights above the dock lie above the ground.

    Raises:
        PlanRefused: names each item that lies under it.
    """
    held = [
        (number, item)
        for number, item in enumerate(order.items, start=1)
        if item.command == NAV_WAYPOINT and item.frame == FRAME_ABOVE_HOME
    ]
    places = np.array([(i.lat_deg, i.lon_deg, i.altitude_m) for _, i in held]).reshape(-1, 3)
    under_m = ground(places[:, 0], places[:, 1]) - order.dock.elevation_m - places[:, 2]
    _refuse(
        [
            f"item {number} lies {under:.0f} m under the ground"
            for (number, _), under in zip(held, under_m.tolist(), strict=True)
            if under > 0
        ]
    )


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        rest = len(problems) - _TOLD
        raise PlanRefused((*problems[:_TOLD], f"and {rest} more") if rest > 0 else tuple(problems))


def _places(items: Sequence[MissionItem]) -> list[tuple[str, LatLon]]:
    return [
        (f"item {number}", LatLon(i.lat_deg, i.lon_deg))
        for number, i in enumerate(items, start=1)
        if i.command in _WITH_PLACE or (i.command == NAV_LAND and not _lands_here(i))
    ]


def _lands_here(item: MissionItem) -> bool:
    return item.command == NAV_LAND and item.lat_deg == 0 and item.lon_deg == 0


def _landing_items(
    landing: Landing, height_m: float, home_m: float, climbs_in_place: bool
) -> list[MissionItem]:
    """Return the way to a landing: up, over it, down on it."""
    lat_deg, lon_deg = round(landing.lat_deg, 7), round(landing.lon_deg, 7)
    up = MissionItem(NAV_TAKEOFF, FRAME_ABOVE_HOME, _NOTHING, lat_deg, lon_deg, round(height_m, 2))
    over = MissionItem(NAV_WAYPOINT, FRAME_ABOVE_HOME, _NOTHING, lat_deg, lon_deg, round(height_m, 2))
    ground_m = round(landing.elevation_m - home_m, 2)
    down = MissionItem(NAV_LAND, FRAME_ABOVE_HOME, _NOTHING, lat_deg, lon_deg, ground_m)
    return [up, over, down] if climbs_in_place else [over, down]


def _list_problems(items: Sequence[MissionItem]) -> list[str]:
    if not items:
        return ["it has no items"]
    problems = []
    if len(items) + 1 > ITEM_LIMIT:
        problems.append(f"it has {len(items) + 1} items with home, and the autopilot holds {ITEM_LIMIT}")
    if items[0].command != NAV_TAKEOFF:
        problems.append(f"item 1 is command {items[0].command}, and a mission begins with a take-off (22)")
    if items[-1].command not in (NAV_RETURN_TO_LAUNCH, NAV_LAND):
        problems.append(
            f"item {len(items)} is command {items[-1].command}, and a mission ends by coming home"
        )
    return problems


def _item_problems(item: MissionItem) -> list[str]:
    numbers = (*item.params, item.lat_deg, item.lon_deg, item.altitude_m)
    if not all(math.isfinite(n) for n in numbers):
        return ["has a value that is no number"]
    if item.command not in COMMANDS:
        return [f"is command {item.command}, which no sortie is flown with"]
    if _lands_here(item) or item.command not in (*_WITH_PLACE, NAV_LAND):
        return []
    problems = []
    if abs(item.lat_deg) > 90:
        problems.append(f"has latitude {item.lat_deg:g}: latitudes run from -90 to 90")
    if abs(item.lon_deg) > 180:
        problems.append(f"has longitude {item.lon_deg:g}: longitudes run from -180 to 180")
    if item.lat_deg == 0 and item.lon_deg == 0:
        problems.append("has no place (latitude and longitude are 0)")
    if item.frame not in (FRAME_ABOVE_HOME, FRAME_ABOVE_TERRAIN):
        problems.append(f"has frame {item.frame}: heights are above the dock (3) or the ground below (10)")
    elif item.altitude_m < 0:
        what = "dock" if item.frame == FRAME_ABOVE_HOME else "ground"
        problems.append(f"lies {-item.altitude_m:g} m under the {what}: heights above it start at 0")
    return problems


def _id(value: Any) -> str:
    """Return an id that can be a file's name too."""
    if not re.fullmatch(r"\w[\w. -]{0,79}", str(value)):
        raise ValueError(f"id {str(value)[:80]!r}: up to 80 letters, digits, '.', '-', '_' or spaces")
    return str(value)


def _within(
    value: Mapping[str, Any], name: str, low: float, high: float, usual: float | None = None
) -> float:
    number = float(value[name] if usual is None else value.get(name, usual))
    if not low <= number <= high:
        raise ValueError(f"{name} is {number:g}, and runs from {low:g} to {high:g}")
    return number


def _speed(value: Mapping[str, Any], name: str) -> float | None:
    found = value.get(name)
    if found is None:
        return None
    if not 0.1 <= float(found) <= 30.0:
        raise ValueError(f"{name} is {found}")
    return float(found)


def _item(value: Mapping[str, Any]) -> MissionItem:
    p1, p2, p3, p4 = (float(p) for p in value["params"])
    shot = value.get("shot")
    return MissionItem(
        command=int(value["command"]),
        frame=int(value["frame"]),
        params=(p1, p2, p3, p4),
        lat_deg=float(value.get("lat_deg", 0.0)),
        lon_deg=float(value.get("lon_deg", 0.0)),
        altitude_m=float(value.get("altitude_m", 0.0)),
        shot=None if shot is None else int(shot),
        task=value.get("task"),
    )
