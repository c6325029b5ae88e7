"""A sortie as the gateway is ordered to fly it, checked before the first byte goes out.

The order is self-contained: where the dock is, the neutral items, how many
pictures are planned and how long it should take. It travels as JSON from the
hub and stays in the journal, so a restarted gateway still knows what flies.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fleet.errors import PlanRefused
from missions.geo import LatLon
from missions.items import (
    DO_CHANGE_SPEED,
    FRAME_ABOVE_HOME,
    NAV_RETURN_TO_LAUNCH,
    NAV_TAKEOFF,
    NAV_WAYPOINT,
    MissionItem,
)

NAV_LAND = 21
ITEM_LIMIT = 650  # what ArduCopter stores, home included
_WITH_PLACE = frozenset({NAV_TAKEOFF, NAV_WAYPOINT})
_TOLD = 5  # problems named in one refusal


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

    @property
    def fastest_m_s(self) -> float | None:
        """The greatest speed over ground on the way, None if no item sets one."""
        return max((i.params[1] for i in self.items if i.command == DO_CHANGE_SPEED), default=None)

    @property
    def highest_m(self) -> float:
        """The greatest height above the dock on the way."""
        return max((i.altitude_m for i in self.items if i.command in _WITH_PLACE), default=0.0)

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
        dock = value["dock"]
        order = SortieOrder(
            id=str(value["id"]),
            drone=str(value["drone"]),
            dock=DockPlace(
                str(dock["id"]), float(dock["lat_deg"]), float(dock["lon_deg"]), float(dock["elevation_m"])
            ),
            items=tuple(_item(item) for item in value["items"]),
            shots=int(value["shots"]),
            expected_s=float(value["expected_s"]),
            battery_percent=float(value.get("battery_percent", 40.0)),
            max_wind_m_s=float(value.get("max_wind_m_s", 12.0)),
            climb_m_s=_speed(value, "climb_m_s"),
            descent_m_s=_speed(value, "descent_m_s"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PlanRefused((f"the order cannot be read ({error!r})",)) from None
    check(order.items)
    return order


def check(items: Sequence[MissionItem]) -> None:
    """Pass a mission that may be sent; items are counted from 1, as 0 is home.

    Raises:
        PlanRefused: names each item that is wrong and why.
    """
    problems = [*_list_problems(items)]
    for number, item in enumerate(items, start=1):
        problems += [f"item {number} {why}" for why in _item_problems(item)]
    if problems:
        rest = len(problems) - _TOLD
        told = [*problems[:_TOLD], f"and {rest} more"] if rest > 0 else problems
        raise PlanRefused(tuple(told))


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
    if item.command not in _WITH_PLACE:
        return []
    problems = []
    if abs(item.lat_deg) > 90:
        problems.append(f"has latitude {item.lat_deg:g}: latitudes run from -90 to 90")
    if abs(item.lon_deg) > 180:
        problems.append(f"has longitude {item.lon_deg:g}: longitudes run from -180 to 180")
    if item.lat_deg == 0 and item.lon_deg == 0:
        problems.append("has no place (latitude and longitude are 0)")
    if item.frame != FRAME_ABOVE_HOME:
        problems.append(f"has frame {item.frame}: heights are given above the dock (frame 3)")
    elif item.altitude_m < 0:
        problems.append(f"lies {-item.altitude_m:g} m under the dock: heights above the dock start at 0")
    return problems


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
