"""What every stage of a sortie's machine stands on: its state, its clock and how it speaks (pure)."""

from dataclasses import dataclass

from fleet.autopilots import Step
from fleet.order import SortieOrder
from fleet.stages import WAITS, Action, Memory, Report, Sight, Stage, Wait, Wish
from fleet.vehicle import Contact, VehicleState
from fleet.zones import Landing
from missions.geo import LatLon, distance_m

AIRBORNE_M = 1.5
AT_PLACE_M = 10.0  # a drone so near to the middle of a dock or a landing has reached it
_LATE_FACTOR = 1.5
_LATE_MARGIN_S = 300.0


@dataclass(frozen=True, slots=True)
class LandedAt:
    """Where a sortie ended: `kind` is dock, alternate, or open ground (then `id` is empty)."""

    kind: str
    id: str
    place: LatLon | None

    def __str__(self) -> str:
        where = f"{self.place.lat_deg:.6f}, {self.place.lon_deg:.6f}" if self.place else "an unknown place"
        return self.id if self.id else f"open ground, {where}"


class Machine:
    """The state of one sortie under way and the helpers of its stages."""

    def __init__(
        self,
        order: SortieOrder,
        *,
        has_dock: bool,
        now: float,
        collect_s: float = 180.0,
    ) -> None:
        self.order = order
        self.stage = Stage.PREFLIGHT
        self.failure: str | None = None
        self.landed = False
        self.landed_at: LandedAt | None = None
        self.landed_from_dock_m: float | None = None
        self.verified = False
        self.uploaded = False
        self.paused = False
        self.target: Landing | None = None  # where it lands if not at home
        self._has_dock = has_dock
        self._collect_s = collect_s
        self._entered_s = now
        self._asked_s = float("-inf")
        self._out: list[Action] = []
        self._recalled: str | None = None
        self._down: str | None = None
        self._wishes: list[tuple[Wish, str]] = []
        self._rose = False  # it was seen in the air, or may have been before this process
        self._is_ours = False  # it came to arming: what is armed from then on is so by this sortie
        self._armed = False  # by this sortie, when it was last heard
        self.follows = False  # the camera looks at something else than planned

    @property
    def wait(self) -> Wait | None:
        """What is being waited for."""
        match self.stage:
            case Stage.FLYING:
                usual = self.order.expected_s
                return Wait("the sortie to be flown", usual, usual * _LATE_FACTOR + _LATE_MARGIN_S)
            case Stage.COLLECTING:
                return Wait("the pictures to come off the drone", 20, self._collect_s, again_s=10)
        return WAITS.get(self.stage)

    @property
    def dock_id(self) -> str:
        """The dock whose door matters now: its own, or the one it was diverted to."""
        return self.target.id if self.target is not None and self.target.is_dock else self.order.dock.id

    @property
    def memory(self) -> Memory:
        """What the next process needs if this one is killed now."""
        return Memory(
            self._recalled,
            self.target.id if self.target is not None else None,
            self._down,
            self.paused,
            self.failure,
            self.follows,
            tuple(self._wishes),
            self._armed,
        )

    @property
    def _has_door(self) -> bool:
        """Whether there is a door where it lands."""
        return self._has_dock and (self.target is None or self.target.is_dock)

    def _abort(self, reason: str, now: float) -> None:
        """End what has not left the ground."""
        self.failure = reason
        self._enter(Stage.ABORTING, now)

    def _enter(self, stage: Stage, now: float) -> None:
        self.stage = stage
        self._entered_s = now
        self._asked_s = float("-inf")

    def _is_over_time(self, now: float) -> bool:
        wait = self.wait
        return wait is not None and now - self._entered_s > wait.limit_s

    def _is_due(self, now: float) -> bool:
        """Return whether the stage's order is to be given (again), and count it as given."""
        wait = self.wait
        if wait is None or now - self._asked_s < wait.again_s:
            return False
        self._asked_s = now
        return True

    def _insist(self, action: Action, now: float) -> None:
        if now - self._asked_s >= 3.0:
            self._asked_s = now
            self._out.append(action)

    def _tell(self, state: str, evidence: str) -> None:
        self._out.append(Report(state, evidence))

    def _why_not(self, step: Step, sight: Sight) -> str:
        said = sight.vehicle.complaints(self._entered_s) if sight.vehicle is not None else ()
        return "; ".join(said[-3:]) or sight.refusals.get(step) or "no answer"


def place_of(vehicle: VehicleState) -> LatLon | None:
    """Return where a vehicle is, None if it does not say."""
    return LatLon(vehicle.motion.lat_deg, vehicle.motion.lon_deg) if vehicle.motion is not None else None


def where_landed(order: SortieOrder, place: LatLon | None) -> LandedAt:
    """Return what a place on the ground is to an order: its dock, one of its landings, or neither."""
    if place is None:
        return LandedAt("open ground", "", None)
    if distance_m(place, order.dock.place) <= AT_PLACE_M:
        return LandedAt("dock", order.dock.id, place)
    near = [a for a in order.landings if distance_m(place, a.place) <= AT_PLACE_M]
    if near:
        nearest = min(near, key=lambda a: distance_m(place, a.place))
        return LandedAt("alternate", nearest.id, place)
    return LandedAt("open ground", "", place)


def is_heard(vehicle: VehicleState | None, now: float) -> bool:
    """Return whether the vehicle's last word is fresh."""
    return vehicle is not None and vehicle.contact(now) is Contact.FRESH


def is_airborne(vehicle: VehicleState) -> bool:
    """Return whether the vehicle is off the ground as far as it says."""
    high = vehicle.motion is not None and vehicle.motion.above_home_m > AIRBORNE_M
    return bool(vehicle.armed) and high and vehicle.on_ground is not True
