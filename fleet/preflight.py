"""May this drone fly this sortie now, and if not, why and what would help (pure).

Fail-safe: what is not known is a reason not to fly.
"""

from dataclasses import dataclass, replace

from fleet.docks import FRESH_S, DockState
from fleet.order import SortieOrder
from fleet.vehicle import Contact, VehicleState
from missions.geo import LatLon, distance_m

FAR_FROM_DOCK_M = 30.0
MAX_RAIN_MM_H = 2.5
SPENT_PERCENT = 3.0  # while the parameters are checked and the mission goes up
_FIX_3D = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason not to fly. `usually_s` is how long it takes to pass by itself, None if it will not."""

    what: str
    fix: str
    usually_s: float | None = None

    def __str__(self) -> str:
        return f"{self.what}: {self.fix}"


def findings(
    vehicle: VehicleState | None, order: SortieOrder, dock: DockState | None, *, has_dock: bool, now: float
) -> tuple[Finding, ...]:
    """Return every reason not to fly; none means the sortie may start."""
    if vehicle is None or vehicle.contact(now) is not Contact.FRESH:
        return (Finding("no heartbeat from the drone", "check its power, its link and its system id", 2.0),)
    return (
        *_on_the_ground(vehicle),
        *_position(vehicle),
        *_ready(vehicle, now),
        *_battery(vehicle, order),
        *_place(vehicle, order),
        *(_dock(dock, order, now) if has_dock else ()),
    )


def worsened(
    vehicle: VehicleState | None, order: SortieOrder, dock: DockState | None, *, has_dock: bool, now: float
) -> tuple[Finding, ...]:
    """Return the reasons not to fly that may have come up while the drone was made ready.

    A battery has lost a little by then.
    """
    spent = replace(order, battery_percent=order.battery_percent - SPENT_PERCENT)
    return (
        *(_battery(vehicle, spent) if vehicle is not None else ()),
        *(_dock(dock, order, now) if has_dock else ()),
    )


def _on_the_ground(vehicle: VehicleState) -> list[Finding]:
    if vehicle.armed:
        return [Finding("the drone is armed already", "land and disarm it, or let its own sortie end")]
    if vehicle.on_ground is False:
        return [Finding("the drone is not on the ground", "bring it back to its dock")]
    return []


def _position(vehicle: VehicleState) -> list[Finding]:
    found = []
    if vehicle.fix is None or vehicle.fix.kind < _FIX_3D:
        kind = "nothing" if vehicle.fix is None else f"a fix of kind {vehicle.fix.kind}"
        found.append(Finding(f"no satellite position ({kind})", "give it a free view of the sky", 30.0))
    if not vehicle.has_position:
        found.append(
            Finding(
                "no position estimate yet", "wait: the autopilot settles about 42 s after its start", 42.0
            )
        )
    return found


def _ready(vehicle: VehicleState, now: float) -> list[Finding]:
    if vehicle.ready_to_arm is not False:
        return [] if vehicle.ready_to_arm else [Finding("health not reported yet", "wait for it", 3.0)]
    complaints = [t for t in vehicle.complaints(now - 60.0) if t.startswith(("PreArm", "Arm"))]
    reason = "; ".join(complaints) or "the autopilot names no reason"
    return [Finding(f"not ready to arm ({reason})", "mend what it names, or wait while it starts", 25.0)]


def _battery(vehicle: VehicleState, order: SortieOrder) -> list[Finding]:
    if vehicle.battery_percent is None:
        return [Finding("the battery's charge is unknown", "set up the battery monitor", 3.0)]
    if vehicle.battery_percent >= order.battery_percent:
        return []
    return [
        Finding(
            f"battery at {vehicle.battery_percent:.0f} %, the sortie needs {order.battery_percent:.0f} %",
            "charge it",
        )
    ]


def _place(vehicle: VehicleState, order: SortieOrder) -> list[Finding]:
    if not vehicle.has_position:
        return []  # said already, and where it thinks it is means nothing yet
    if vehicle.motion is None:
        return [Finding("the drone's place is unknown", "wait for its position", 3.0)]
    here = LatLon(vehicle.motion.lat_deg, vehicle.motion.lon_deg)
    away_m = distance_m(here, order.dock.place)
    if away_m <= FAR_FROM_DOCK_M:
        return []
    return [
        Finding(
            f"the drone stands {away_m:.0f} m from {order.dock.id}, where the sortie starts",
            "choose a sortie of its own dock, or connect to the right drone",
        )
    ]


def _dock(dock: DockState | None, order: SortieOrder, now: float) -> list[Finding]:
    if dock is None or now - dock.heard_s > FRESH_S:
        return [Finding(f"dock {order.dock.id} is not heard", "check its power and its MQTT link", 10.0)]
    found = []
    if dock.door == "stuck":
        found.append(Finding(f"the door of {dock.dock} is stuck", "send somebody to free it"))
    if dock.wind_m_s is not None and dock.wind_m_s > order.max_wind_m_s:
        found.append(
            Finding(
                f"wind {dock.wind_m_s:.1f} m/s at the dock", f"wait for {order.max_wind_m_s:g} m/s or less"
            )
        )
    if dock.rain_mm_h is not None and dock.rain_mm_h > MAX_RAIN_MM_H:
        found.append(Finding(f"rain {dock.rain_mm_h:.1f} mm/h at the dock", "wait until it stops"))
    return found
