"""Small orders and vehicles for the tests of fleet."""

from dataclasses import replace

from fleet.autopilots import Flying
from fleet.docks import DockState
from fleet.messages import Fix, Motion
from fleet.order import DockPlace, SortieOrder
from fleet.stages import Sight
from fleet.vehicle import VehicleKey, VehicleState
from fleet.zones import Landing
from missions.geo import moved
from missions.items import MissionItem

DOCK = DockPlace("dock-east", 30.28, 119.42, 82.0)
WEST = Landing("dock-west", "dock", 30.28, 119.40, 90.0)
MEADOW = Landing("meadow", "rally", 30.285, 119.42, 85.0)
NONE = (0.0, 0.0, 0.0, 0.0)


def item(command: int, **values) -> MissionItem:
    """Return one item, over the dock at 50 m unless said otherwise."""
    values = {"frame": 3, "params": NONE, "lat_deg": 30.28, "lon_deg": 119.42, "altitude_m": 50.0} | values
    return MissionItem(command, **values)


def mission(shots: int = 3, step_m: float = 60.0) -> tuple[MissionItem, ...]:
    """Return take-off, `shots` pictures on a line to the north, home."""
    items = [item(22), MissionItem(178, 2, (1.0, 12.0, -1.0, 0.0))]
    for shot in range(shots):
        place = moved(DOCK.place, 0.0, (shot + 1) * step_m)
        items.append(item(16, lat_deg=round(place.lat_deg, 7), lon_deg=round(place.lon_deg, 7)))
        items.append(MissionItem(2000, 2, (0.0, 0.0, 1.0, shot + 1.0), shot=shot))
    return (*items, MissionItem(20, 2, NONE))


def order(shots: int = 3, **values) -> SortieOrder:
    """Return an order of a short sortie."""
    values = {"items": mission(shots), "shots": shots, "expected_s": 100.0} | values
    return SortieOrder(id="S1", drone="D1", dock=DOCK, **values)


def vehicle(now: float, **values) -> VehicleState:
    """Return a vehicle that stands on its dock, healthy and just heard."""
    state = VehicleState(
        VehicleKey("link", 1, 1),
        heard_s=now,
        armed=False,
        mode=0,
        ready_to_arm=True,
        has_position=True,
        fix=Fix(3, 12),
        motion=Motion(30.28, 119.42, 82.0, 0.0, 0.0, 0.0, 0.0),
        moved_s=now,
        on_ground=True,
        battery_percent=100.0,
    )
    return replace(state, **values)


def high(above_home_m: float = 50.0) -> Motion:
    """Return being over the dock at a height."""
    return Motion(30.28, 119.42, 82.0 + above_home_m, above_home_m, 5.0, 0.0, 0.0)


def dock(now: float, **values) -> DockState:
    """Return a dock that is closed and calm."""
    state = DockState("dock-east", "closed", "off", ("D1",), 3.0, 0.0, now)
    return replace(state, **values)


def sight(now: float, *, flying: Flying = Flying.OTHER, **values) -> Sight:
    """Return what is seen of a healthy drone on its dock, with changes."""
    of_vehicle = {k: values.pop(k) for k in list(values) if k in VehicleState.__dataclass_fields__}
    return Sight(vehicle=vehicle(now, **of_vehicle), flying=flying, mode=flying.value, **values)
