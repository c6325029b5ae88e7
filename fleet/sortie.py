"""One flight as a state machine, from the dock's door to the dock's door (pure).

    stage       done when                          way out
    preflight   nothing speaks against flying      fail
    charging    the battery holds enough           fail
    door        the door is open                   close it, fail
    profile     the parameters are right           close the door, fail
    upload      the mission is proven on board     clear it, close the door, fail
    arming      the drone says it is armed         disarm, close the door, fail
    starting    it is in the air                   disarm, close the door, fail
    flying      it comes home                      recall
    returning   it stands disarmed on the ground   tell people, keep watching
    closing     the door is closed                 go on, say so
    collecting  every picture is there             go on, say what is missing
    aborting    disarmed and the door closed       fail

Fed with what is seen (`Sight`) it answers with what to do. Orders are repeated
until their *effect* is seen: an acknowledgement is not completion. Silence of
the drone ends no stage, so a lost drone is never taken for a landed one.
Times are simulated seconds of any steady clock.
"""

from fleet.autopilots import Flying, Step
from fleet.docks import DockAction
from fleet.order import SortieOrder
from fleet.preflight import Finding, findings
from fleet.stages import WAITS, Action, Need, Report, Sight, Stage, Wait, Wish
from fleet.vehicle import Contact, VehicleState
from missions.geo import LatLon, distance_m

AIRBORNE_M = 1.5
BESIDE_DOCK_M = 10.0
LOW_PERCENT = 15.0  # plans keep more: below it something went wrong, whatever the autopilot thinks
_LATE_FACTOR = 1.5
_LATE_MARGIN_S = 300.0
_PAUSE_LIMIT_S = 600.0
_STEER_LIMIT_S = 60.0
_STARTS = 3


class SortieMachine:
    """Takes one sortie through its stages; `stage`, `wait` and `failure` may be read at any time."""

    def __init__(
        self, order: SortieOrder, *, has_dock: bool, now: float, item_count: int, collect_s: float = 180.0
    ) -> None:
        self.order = order
        self.stage = Stage.PREFLIGHT
        self.failure: str | None = None
        self.landed = False
        self.landed_from_dock_m: float | None = None
        self.verified = False
        self.uploaded = False
        self.paused = False
        self._has_dock = has_dock
        self._last_seq = item_count - 1
        self._collect_s = collect_s
        self._entered_s = now
        self._asked_s = float("-inf")
        self._starts = 0
        self._paused_s = float("-inf")
        self._lost_told = False
        self._lost_s = now
        self._late_told = False
        self._recalled: str | None = None
        self._wishes: list[Wish] = []
        self._out: list[Action] = []
        self._tell("preflight", f"{len(order.items)} items, {order.shots} pictures, by {order.drone}")

    # --- what others ask and read ---

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

    def wish(self, wish: Wish) -> str | None:
        """Note what a person asks for; return why it cannot be done, None if it will be tried."""
        if self.stage.is_over or self.landed:
            return "the sortie is over"
        if wish is not Wish.RECALL and self.stage is not Stage.FLYING:
            return f"the sortie is at {self.stage}: only a flying one can {wish}"
        self._wishes.append(wish)
        return None

    def reattach(self, stage: Stage, sight: Sight, now: float) -> None:
        """Take up a sortie where another process left it, from the journal and what is seen.

        What may be in the air goes on without upload and without start; what
        never left the ground ends.
        """
        self._out.clear()
        vehicle = sight.vehicle
        if vehicle is not None and vehicle.armed and stage is not Stage.ABORTING:
            self.verified = True
            coming = sight.flying is Flying.RETURN
            self._tell("returning" if coming else "flying", f"re-attached in {sight.mode}, nothing sent")
            self._enter(Stage.RETURNING if coming else Stage.FLYING, now)
        elif stage.may_be_airborne or stage in (Stage.CLOSING, Stage.COLLECTING):
            # Not heard, or on the ground by now: either way the landing decides.
            self.verified = True
            self._enter(Stage.RETURNING, now)
        else:
            self._abort("the gateway was restarted before take-off", now)

    # --- the machine ---

    def step(self, sight: Sight, now: float) -> list[Action]:
        """Return what to do, given what is seen."""
        self._take_wishes(sight, now)
        handler = {
            Stage.PREFLIGHT: self._preflight,
            Stage.CHARGING: self._charging,
            Stage.DOOR: self._door,
            Stage.PROFILE: self._profile,
            Stage.UPLOAD: self._upload,
            Stage.ARMING: self._arming,
            Stage.STARTING: self._starting,
            Stage.FLYING: self._flying,
            Stage.RETURNING: self._returning,
            Stage.CLOSING: self._closing,
            Stage.COLLECTING: self._collecting,
            Stage.ABORTING: self._aborting,
        }.get(self.stage)
        if handler is not None:
            handler(sight, now)
        out, self._out = self._out, []
        return out

    def _preflight(self, sight: Sight, now: float) -> None:
        found = findings(sight.vehicle, self.order, sight.dock, has_dock=self._has_dock, now=now)
        hopeless = tuple(f for f in found if f.usually_s is None)
        if not found:
            self._enter(Stage.DOOR if self._has_dock else Stage.PROFILE, now)
        elif self._has_dock and found == hopeless and _only_charge(found):
            self._tell("preflight", f"{found[0].what}; charging")
            self._enter(Stage.CHARGING, now)
        elif self._is_over_time(now) or (hopeless and not (self._has_dock and _only_charge(hopeless))):
            self._abort("; ".join(str(f) for f in (hopeless or found)), now)

    def _charging(self, sight: Sight, now: float) -> None:
        vehicle = sight.vehicle
        percent = vehicle.battery_percent if vehicle is not None else None
        if percent is not None and percent >= self.order.battery_percent:
            self._out.append(DockAction.STOP_CHARGE)
            self._enter(Stage.PREFLIGHT, now)
        elif self._is_over_time(now):
            self._abort(f"the battery did not reach {self.order.battery_percent:.0f} %", now)
        elif self._is_due(now):
            self._out.append(DockAction.CHARGE)

    def _door(self, sight: Sight, now: float) -> None:
        dock = sight.dock
        if dock is not None and dock.door == "open":
            self._tell("door_open", f"door of {dock.dock} open after {now - self._entered_s:.0f} s")
            self._enter(Stage.PROFILE, now)
        elif dock is not None and dock.door == "stuck":
            self._abort(f"the door of {dock.dock} is stuck", now)
        elif self._is_over_time(now):
            self._abort(f"the door did not open ({sight.dock_refusal or 'no word from the dock'})", now)
        elif self._is_due(now):
            self._out += [DockAction.STOP_CHARGE, DockAction.OPEN]

    def _profile(self, sight: Sight, now: float) -> None:
        result = sight.profile
        if result is not None and result.passed:
            changed = "; ".join(map(str, result.changes)) or "all parameters right"
            self._tell("uploading", changed)
            self._enter(Stage.UPLOAD, now)
        elif result is not None:
            self._abort("; ".join(result.by_hand), now)
        elif self._is_over_time(now):
            self._abort("the parameters could not be read", now)
        elif self._is_due(now):
            self._out.append(Need.CHECK_PROFILE)

    def _upload(self, sight: Sight, now: float) -> None:
        result = sight.upload
        if result is not None and result.verified:
            self.verified, self.uploaded = True, result.uploaded
            how = "read back, all equal" if result.uploaded else "on board already, read back, all equal"
            self._tell("verified", f"{self._last_seq + 1} items {how}")
            self._enter(Stage.ARMING, now)
        elif result is not None or self._is_over_time(now):
            self._out.append(Need.CLEAR)
            reason = result.reason if result is not None else "it took too long"
            self._abort(f"the mission is not proven on board: {reason}", now)
        elif self._is_due(now):
            self._out.append(Need.UPLOAD)

    def _arming(self, sight: Sight, now: float) -> None:
        vehicle = sight.vehicle
        if vehicle is not None and vehicle.armed:
            self._tell("armed", f"armed in {sight.mode} after {now - self._entered_s:.0f} s")
            self._enter(Stage.STARTING, now)
        elif self._is_over_time(now):
            self._abort(f"the drone did not arm ({self._why_not(Step.ARM, sight)})", now)
        elif self._is_due(now) and _heard(vehicle, now):
            ready = sight.flying is Flying.READY
            self._out.append(Step.ARM if ready else Step.READY)
            if not ready:
                self._asked_s = now - WAITS[Stage.ARMING].again_s + 0.5  # arm as soon as it is ready

    def _starting(self, sight: Sight, now: float) -> None:
        vehicle = sight.vehicle
        if vehicle is not None and _is_airborne(vehicle):
            self._tell("flying", f"off the ground in {sight.mode}")
            self._enter(Stage.FLYING, now)
        elif vehicle is not None and vehicle.armed is False and now - self._entered_s > 2.0:
            self._start_again(sight, now)
        elif self._is_over_time(now):
            self._abort(f"it did not take off ({self._why_not(Step.START, sight)})", now)
        elif self._is_due(now) and _heard(vehicle, now):
            self._out.append(Step.START)
            if sight.flying is not Flying.MISSION:
                self._asked_s = now - WAITS[Stage.STARTING].again_s + 0.5

    def _start_again(self, sight: Sight, now: float) -> None:
        """It disarmed on the ground, as it does after ten idle seconds: arm it again, a few times."""
        self._starts += 1
        if self._starts >= _STARTS:
            self._abort(f"it disarmed before take-off ({self._why_not(Step.START, sight)})", now)
        else:
            self._enter(Stage.ARMING, now)

    def _flying(self, sight: Sight, now: float) -> None:
        vehicle = sight.vehicle
        if vehicle is None or self._mind_contact(vehicle, now):
            return
        if vehicle.is_landed(now):
            self._has_landed(sight, vehicle, now)
        elif self._comes_home(sight, vehicle):
            why = self._recalled or ("last item" if sight.flying is Flying.MISSION else f"mode {sight.mode}")
            self._tell("returning", f"{why}; {sight.taken} of {self.order.shots} pictures taken")
            self._enter(Stage.RETURNING, now)
        elif self._recalled is not None:
            self._insist(Step.RECALL, now)
        elif self._steer_refused(sight, now):
            self._insist(self._steering, now)
        elif self.paused and now - self._paused_s > _PAUSE_LIMIT_S:
            self._recall(f"paused for {_PAUSE_LIMIT_S:.0f} s", now)
        elif self._is_over_time(now):
            self._recall("the flight takes too long", now)
        elif vehicle.battery_percent is not None and vehicle.battery_percent < LOW_PERCENT:
            self._recall(f"battery at {vehicle.battery_percent:.0f} %", now)

    def _returning(self, sight: Sight, now: float) -> None:
        vehicle = sight.vehicle
        if vehicle is None or self._mind_contact(vehicle, now):
            return
        if vehicle.is_landed(now):
            self._has_landed(sight, vehicle, now)
        elif vehicle.armed and sight.flying not in (Flying.RETURN, Flying.MISSION) and self._is_due(now):
            self._out.append(Step.RECALL)
        elif self._is_over_time(now) and not self._late_told:
            self._late_told = True
            self._tell(
                "returning", f"late: still in the air after {now - self._entered_s:.0f} s; watching on"
            )

    def _closing(self, sight: Sight, now: float) -> None:
        dock = sight.dock
        if dock is not None and dock.door == "closed":
            self._tell("door_closed", f"door of {dock.dock} closed after {now - self._entered_s:.0f} s")
            self._out.append(DockAction.CHARGE)
            self._enter(Stage.COLLECTING, now)
        elif self._is_over_time(now):
            self._tell("landed", f"the door did not close ({sight.dock_refusal or 'no word from the dock'})")
            self._enter(Stage.COLLECTING, now)
        elif self._is_due(now):
            self._out.append(DockAction.CLOSE)

    def _collecting(self, sight: Sight, now: float) -> None:
        complete = sight.files >= sight.files_wanted
        if not complete and not self._is_over_time(now):
            return
        missing = "" if complete else f", {sight.files_wanted - sight.files} files missing"
        told = f"{sight.taken} of {self.order.shots} pictures, {sight.files} files{missing}"
        if self.failure is not None:
            self._tell("failed", f"{self.failure}; {told}")
            self._enter(Stage.FAILED, now)
            return
        self._tell("done", told)
        self._enter(Stage.DONE, now)

    def _aborting(self, sight: Sight, now: float) -> None:
        vehicle = sight.vehicle
        if vehicle is not None and _is_airborne(vehicle):
            self._recalled = self.failure
            self._enter(Stage.FLYING, now)
            return
        if vehicle is not None and vehicle.armed and not self._is_over_time(now):
            if self._is_due(now):
                self._out.append(Step.DISARM)
            return
        dock = sight.dock
        open_door = self._has_dock and dock is not None and dock.door in ("open", "opening", "closing")
        if open_door and not self._is_over_time(now):
            if self._is_due(now):
                self._out.append(DockAction.CLOSE)
            return
        self._tell("failed", self.failure or "aborted")
        self._enter(Stage.FAILED, now)

    # --- helpers ---

    def _take_wishes(self, sight: Sight, now: float) -> None:
        wishes, self._wishes = self._wishes, []
        for wish in wishes:
            if self.stage.is_over or self.landed or self.stage is Stage.ABORTING:
                return
            if wish is Wish.RECALL:
                self._recall("recalled by a person", now)
            elif self.stage is Stage.FLYING:
                self.paused = wish is Wish.PAUSE
                self._paused_s = now
                self._out.append(self._steering)
                self._tell("flying", "paused by a person" if self.paused else "resumed by a person")

    @property
    def _steering(self) -> Step:
        return Step.PAUSE if self.paused else Step.RESUME

    def _steer_refused(self, sight: Sight, now: float) -> bool:
        """Return whether the last pause or resume is to be asked again.

        ArduCopter refuses both for a moment: while it takes off, and while it stands on a waypoint.
        """
        return self._steering in sight.refusals and now - self._paused_s < _STEER_LIMIT_S

    def _recall(self, why: str, now: float) -> None:
        if self.stage is Stage.FLYING or self.stage is Stage.STARTING:
            self._recalled = why
            if self.stage is Stage.STARTING:
                self._enter(Stage.FLYING, now)
            self._asked_s = float("-inf")
            self._insist(Step.RECALL, now)
        elif self.stage is not Stage.RETURNING:
            self._abort(f"{why} before take-off", now)

    def _insist(self, step: Step, now: float) -> None:
        if now - self._asked_s >= 3.0:
            self._asked_s = now
            self._out.append(step)

    def _comes_home(self, sight: Sight, vehicle: VehicleState) -> bool:
        if sight.flying is Flying.RETURN:
            return True
        return (
            self._recalled is None
            and sight.flying is Flying.MISSION
            and vehicle.current is not None
            and vehicle.current >= self._last_seq
        )

    def _mind_contact(self, vehicle: VehicleState, now: float) -> bool:
        """Tell of a loss once; return whether nothing can be concluded now."""
        if vehicle.contact(now) is not Contact.LOST:
            if self._lost_told:
                self._tell(self.stage.value, f"heard again, silent for {now - self._lost_s:.0f} s")
            self._lost_told = False
            self._lost_s = now
            return False
        if not self._lost_told:
            self._lost_told = True
            self._lost_s = vehicle.heard_s
            self._tell(self.stage.value, "not heard for 10 s; it finishes its mission by itself")
        return True

    def _has_landed(self, sight: Sight, vehicle: VehicleState, now: float) -> None:
        self.landed = True
        away = "at an unknown place"
        if vehicle.motion is not None:
            here = LatLon(vehicle.motion.lat_deg, vehicle.motion.lon_deg)
            self.landed_from_dock_m = distance_m(here, self.order.dock.place)
            away = f"{self.landed_from_dock_m:.1f} m from the dock's middle"
        left = "" if vehicle.battery_percent is None else f", battery {vehicle.battery_percent:.0f} %"
        self._tell("landed", f"disarmed {away}{left}; {sight.taken} of {self.order.shots} pictures taken")
        self._enter(Stage.CLOSING if self._may_close(sight) else Stage.COLLECTING, now)

    def _may_close(self, sight: Sight) -> bool:
        """A door must not close on a drone that stands half outside."""
        if not self._has_dock or sight.dock is None:
            return False
        beside = self.landed_from_dock_m is not None and self.landed_from_dock_m > BESIDE_DOCK_M
        return beside or not sight.dock.drones_in or self.order.drone in sight.dock.drones_in

    def _why_not(self, step: Step, sight: Sight) -> str:
        said = sight.vehicle.complaints(self._entered_s) if sight.vehicle is not None else ()
        return "; ".join(said[-3:]) or sight.refusals.get(step) or "no answer"

    def _abort(self, reason: str, now: float) -> None:
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

    def _tell(self, state: str, evidence: str) -> None:
        self._out.append(Report(state, evidence))


def _only_charge(found: tuple[Finding, ...]) -> bool:
    return all(f.fix == "charge it" for f in found)


def _heard(vehicle: VehicleState | None, now: float) -> bool:
    return vehicle is not None and vehicle.contact(now) is Contact.FRESH


def _is_airborne(vehicle: VehicleState) -> bool:
    high = vehicle.motion is not None and vehicle.motion.above_home_m > AIRBORNE_M
    return bool(vehicle.armed) and high and vehicle.on_ground is not True
