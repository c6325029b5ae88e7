"""The stages of a sortie in the air, until the drone stands disarmed on the ground (pure).

Whatever goes wrong ends in one of three ways: home, at one of the order's
landings, or down where the drone is. The autopilot's own failsafes choose
between the same three; what they chose is followed, not fought.
"""

from fleet.autopilots import Flying, Step
from fleet.docks import DockAction
from fleet.machine import AT_PLACE_M, Machine, place_of, where_landed
from fleet.stages import Divert, Leg, Need, Sight, Stage, Wish
from fleet.vehicle import Contact, VehicleState
from fleet.zones import Landing
from missions.geo import distance_m

BESIDE_DOCK_M = AT_PLACE_M
LOW_PERCENT = 15.0  # plans keep more: below it something went wrong, whatever the autopilot thinks
EMPTY_PERCENT = 7.0  # below it the autopilot's own failsafe is given its turn first
_ITS_TURN_S = 12.0
_PAUSE_LIMIT_S = 600.0
_STEER_LIMIT_S = 60.0
_SHUT_LIMIT_S = 90.0  # a door takes 20 s, and is asked more than once
_OWN_RETURN_S = 20.0  # so long a diversion is held against the autopilot's own way home
_NOTICE = 5  # the severity from which a sentence says no more why
_SURE_S = 1.0  # a landing is believed when it is still told so much later


class Airborne(Machine):
    """Watches a flying drone, steers it where it is asked or must, and notices where it landed."""

    _paused_s = float("-inf")
    _lost_told = False
    _lost_s = 0.0
    _late_told = False
    _shut_since_s: float | None = None
    _door_asked_s = float("-inf")
    _said_s = float("-inf")
    _low_since_s: float | None = None
    _in_vain = False  # the autopilot would not be diverted: it is not tried again
    _down_since_s: float | None = None

    # --- stages ---

    def _flying(self, sight: Sight, now: float) -> None:
        vehicle = self._seen(sight, now)
        if vehicle is None or self._comes_down(sight, now):
            return
        if self._comes_home(sight):
            why = self._recalled or ("last item" if sight.flying is Flying.MISSION else f"mode {sight.mode}")
            because = "" if self._recalled is not None else self._because(vehicle, now)
            self._tell("returning", f"{why}{because}; {sight.taken} of {self.order.shots} pictures taken")
            self._enter(Stage.RETURNING, now)
        elif self._home_is_shut(sight, vehicle, now):
            return
        elif self._recalled is not None:
            self._insist(Step.RECALL, now)
        elif self._steer_refused(sight, now):
            self._insist(self._steering, now)
        else:
            why_home = self._why_home(vehicle, now)
            if why_home is not None:
                self._recall(why_home, now)

    def _why_home(self, vehicle: VehicleState, now: float) -> str | None:
        """Return why the drone should come home although nobody asked, if it should."""
        if self.paused and now - self._paused_s > _PAUSE_LIMIT_S:
            return f"paused for {_PAUSE_LIMIT_S:.0f} s"
        if self._is_over_time(now):
            return "the flight takes too long"
        percent = vehicle.battery_percent
        if percent is None or percent >= LOW_PERCENT:
            return None
        if self._low_since_s is None:
            self._low_since_s = now
        # Nearly empty, landing at once may be right, and an order to come home would undo it.
        its_turn = percent < EMPTY_PERCENT and now - self._low_since_s < _ITS_TURN_S
        return None if its_turn else f"battery at {percent:.0f} %"

    def _returning(self, sight: Sight, now: float) -> None:
        vehicle = self._seen(sight, now)
        if vehicle is None or self._comes_down(sight, now) or self._home_is_shut(sight, vehicle, now):
            return
        # A mission's own end is a way home; one that goes on after a recall is not.
        comes = sight.flying is Flying.RETURN or (sight.flying is Flying.MISSION and self._recalled is None)
        if vehicle.armed and not comes and self._is_due(now):
            self._out.append(Step.RECALL)
        self._mind_reasons(vehicle, now)
        self._mind_lateness(now)

    def _diverting(self, sight: Sight, now: float) -> None:
        vehicle = self._seen(sight, now)
        if vehicle is None or self._comes_down(sight, now) or self.target is None:
            return
        self._open_door(sight, now)
        if self._is_over_time(now):
            self._land(f"{self.target.id} was not reached in time", now)
        elif sight.flying is not Flying.MISSION and now - self._entered_s > _OWN_RETURN_S:
            if sight.flying is Flying.RETURN:
                self._tell("returning", f"the autopilot insists on coming home ({sight.mode})")
                self.target, self._in_vain = None, True
                self._enter(Stage.RETURNING, now)
            elif self._is_due(now):
                self._out.append(Divert(self.target.id))
        elif (sight.flying is not Flying.MISSION or sight.leg is not Leg.ELSEWHERE) and self._is_due(now):
            self._out.append(Divert(self.target.id))

    def _landing(self, sight: Sight, now: float) -> None:
        vehicle = self._seen(sight, now)
        if vehicle is None:
            return
        if sight.flying is not Flying.LAND:
            if self._down is None:  # the autopilot's own landing, ended by somebody else
                self._enter(Stage.RETURNING if sight.flying is Flying.RETURN else Stage.FLYING, now)
            elif vehicle.armed:
                self._insist(Step.LAND, now)
        self._mind_reasons(vehicle, now)
        self._mind_lateness(now)

    # --- steering ---

    def _take_wish(self, wish: Wish, to: str, sight: Sight, now: float) -> None:
        """Begin what a person asked for."""
        landing = self.order.landing(to)
        if wish is Wish.RECALL:
            self._recall("recalled by a person", now)
        elif wish is Wish.ABORT:
            self._land("sent down by a person", now)
        elif wish is Wish.DIVERT and landing is not None and self.stage.may_be_airborne:
            self._divert(landing, "diverted by a person", now)
        elif wish in (Wish.PAUSE, Wish.RESUME) and self.stage is Stage.FLYING:
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
        if not self.stage.may_be_airborne:
            self._abort(f"{why} before take-off", now)
        elif self.stage is not Stage.RETURNING:
            self._recalled, self._down, self.target = why, None, None
            if self.stage is not Stage.FLYING:
                self._enter(Stage.FLYING, now)
            self._asked_s = float("-inf")
            self._insist(Step.RECALL, now)

    def _divert(self, landing: Landing, why: str, now: float) -> None:
        self.target, self._down, self._recalled = landing, None, None
        self._tell("returning", f"to {landing.id}: {why}")
        self._door_asked_s = float("-inf")
        self._enter(Stage.DIVERTING, now)
        self._insist(Divert(landing.id), now)

    def _land(self, why: str, now: float) -> None:
        if not self.stage.may_be_airborne:
            self._abort(f"{why} before take-off", now)
            return
        self._down = why
        self._tell("returning", f"coming down where it is: {why}")
        self._enter(Stage.LANDING, now)
        self._insist(Step.LAND, now)

    def _home_is_shut(self, sight: Sight, vehicle: VehicleState, now: float) -> bool:
        """Have the door opened for a drone in the air; return whether it flies elsewhere instead.

        Without another place to land it comes home all the same: people are told,
        and a lid is better known than the woods.
        """
        dock = sight.dock
        if not self._has_dock or dock is None or dock.door == "open":
            self._shut_since_s = None
            return False
        if self.stage is Stage.FLYING and dock.door != "stuck":
            return False  # another drone of the dock may have come home: it opens when this one does
        if self._shut_since_s is None:
            self._shut_since_s = now
            self._tell(self._told_as, f"the door of {dock.dock} is {dock.door}")
        self._open_door(sight, now)
        landing = None if self._in_vain else self._nearest_landing(vehicle)
        if landing is None or not (dock.door == "stuck" or now - self._shut_since_s > _SHUT_LIMIT_S):
            return False
        self._divert(landing, f"the door of {dock.dock} is {dock.door}", now)
        return True

    def _open_door(self, sight: Sight, now: float) -> None:
        dock = sight.dock
        shut = self._has_door and dock is not None and dock.door in ("closed", "closing")
        if shut and now - self._door_asked_s >= 30.0:
            self._door_asked_s = now
            self._out.append(DockAction.OPEN)

    def _nearest_landing(self, vehicle: VehicleState) -> Landing | None:
        here = place_of(vehicle) or self.order.dock.place
        return min(self.order.ways, key=lambda a: distance_m(here, a.place), default=None)

    # --- what is seen ---

    def _seen(self, sight: Sight, now: float) -> VehicleState | None:
        """Return the vehicle if anything can be concluded from it and it has not landed."""
        vehicle = sight.vehicle
        if vehicle is None or self._is_lost(vehicle, now):
            return None
        if not vehicle.is_landed(now):
            self._down_since_s = None
            return vehicle
        if self._down_since_s is None:
            self._down_since_s = now
        if now - self._down_since_s >= _SURE_S:
            self._has_landed(sight, vehicle, now)
        return None

    def _comes_down(self, sight: Sight, now: float) -> bool:
        """Notice a landing that the autopilot began by itself; return whether it did."""
        if sight.flying is not Flying.LAND:
            return False
        because = self._because(sight.vehicle, now) if sight.vehicle is not None else ""
        self._tell("returning", f"coming down where it is: mode {sight.mode}{because}")
        self._enter(Stage.LANDING, now)
        return True

    def _because(self, vehicle: VehicleState, now: float) -> str:
        """Return what the autopilot said lately and was not told yet, in brackets."""
        said = [
            t.text for t in vehicle.said if t.at_s > max(now - 15.0, self._said_s) and t.severity <= _NOTICE
        ]
        self._said_s = now
        return f" ({'; '.join(dict.fromkeys(said[-3:]))})" if said else ""

    def _mind_reasons(self, vehicle: VehicleState, now: float) -> None:
        """Tell what the autopilot says of a way home or down just after it chose it."""
        if self._recalled is None and self._down is None and now - self._entered_s < 5.0:
            because = self._because(vehicle, now)
            if because:
                self._tell("returning", f"the autopilot says{because}")

    def _comes_home(self, sight: Sight) -> bool:
        if sight.flying is Flying.RETURN:
            return True
        return self._recalled is None and sight.flying is Flying.MISSION and sight.leg is Leg.HOME

    def _is_lost(self, vehicle: VehicleState, now: float) -> bool:
        """Tell of a loss once; return whether nothing can be concluded now."""
        if vehicle.contact(now) is not Contact.LOST:
            if self._lost_told:
                self._tell(self._told_as, f"heard again, silent for {now - self._lost_s:.0f} s")
            self._lost_told = False
            self._lost_s = now
            return False
        if not self._lost_told:
            self._lost_told = True
            self._lost_s = vehicle.heard_s
            self._tell(self._told_as, "not heard for 10 s; it finishes its mission by itself")
        return True

    def _mind_lateness(self, now: float) -> None:
        if self._is_over_time(now) and not self._late_told:
            self._late_told = True
            flown_s = now - self._entered_s
            self._tell("returning", f"late: still in the air after {flown_s:.0f} s; watching on")

    @property
    def _told_as(self) -> str:
        return "flying" if self.stage is Stage.FLYING else "returning"

    def _has_landed(self, sight: Sight, vehicle: VehicleState, now: float) -> None:
        self.landed = True
        place = place_of(vehicle)
        self.landed_at = where_landed(self.order, place)
        away = "at an unknown place"
        if place is not None:
            self.landed_from_dock_m = distance_m(place, self.order.dock.place)
            away = f"{self.landed_from_dock_m:.1f} m from the dock's middle"
            away += "" if self.landed_at.kind == "dock" else f", at {self.landed_at}"
        left = "" if vehicle.battery_percent is None else f", battery {vehicle.battery_percent:.0f} %"
        if self.landed_at.kind == "open ground" and self.failure is None:
            self.failure = (
                f"landed away from every dock ({self._down or sight.mode}): fetch it, {self.landed_at}"
            )
        self._tell("landed", f"disarmed {away}{left}; {sight.taken} of {self.order.shots} pictures taken")
        if self._has_dock and self.target is not None:
            self._out.append(Need.CLOSE_HOME)
        self._enter(Stage.CLOSING if self._has_door and sight.dock is not None else Stage.COLLECTING, now)

    def _may_close(self, sight: Sight) -> bool:
        """A door must not close on a drone that stands half outside."""
        if not self._has_door or sight.dock is None:
            return False
        if self.target is not None:
            return self.landed_at is not None and self.landed_at.id == self.target.id
        beside = self.landed_from_dock_m is not None and self.landed_from_dock_m > BESIDE_DOCK_M
        inside = sight.dock.drones_in
        return beside or inside is None or self.order.drone in inside
