"""ArduCopter: what its modes, its arming, its failsafes and its fence do.

Checked line by line against flights of a real ArduCopter 4.5.5 (docs/measurements/sitl.md).
"""

import math
from collections.abc import Callable

from sim.autopilot import items as it
from sim.autopilot.auto import COMPLETE, MissionRun
from sim.autopilot.dialect import mav
from sim.autopilot.failsafe import (
    CONTINUE_AS_PILOT,
    CONTINUE_IN_AUTO,
    CONTINUE_LANDING,
    Action,
    BatteryWatch,
    GroundWatch,
)
from sim.autopilot.geofence import Crossed, Limits
from sim.autopilot.items import Item
from sim.autopilot.manoeuvres import Landing, Manoeuvre, Return, Sinking, Stay, TakeOff, Travel, WayHome
from sim.autopilot.modes import Mode
from sim.autopilot.pilot import FlightMode, Pilot
from sim.autopilot.readiness import POSITION_S, arming_problem
from sim.autopilot.tuning import Tuning
from sim.drone import Limits as Hardness
from sim.drone import Point

ARM_IN_AUTO, TAKE_OFF_UNASKED = 1, 2  # bits of AUTO_OPTIONS
_TERRAIN_HEIGHTS = 1  # RTL_ALT_TYPE
_STICK_LOW_M_S = 2.5
_NO_THRUST_M_S = 6.0
_LEAST_RTL_M = 2.0
_GIVE_UP_M = 100.0  # so far outside a fence it lands where it is
_FENCE_LAND, _FENCE_BRAKE = 2, 4  # FENCE_ACTION


class ArduCopter(Pilot):
    """The flying of one ArduCopter."""

    mode: FlightMode = Mode.STABILIZE
    first_item = 1  # item 0 is home
    waiting_for_terrain: bool = False

    def _ground_watch(self) -> GroundWatch:
        return GroundWatch(self.params)

    def _battery_watch(self) -> BatteryWatch:
        return BatteryWatch(self.params, self.drone.battery)

    def _mission_run(self, do: Callable[[Item], bool]) -> MissionRun:
        return MissionRun(
            self.body.lists[0],
            do=do,
            locate=self.locate,
            come_home=lambda helm: Return(helm, self.way_home()),
            ground_m=self.ground_known_m,
            say=lambda text: self._say(mav.MAV_SEVERITY_INFO, text),
        )

    def _tune(self) -> Tuning:
        p = self.params
        return Tuning(
            speed_m_s=p["WPNAV_SPEED"] / 100.0,
            climb_m_s=p["WPNAV_SPEED_UP"] / 100.0,
            descent_m_s=p["WPNAV_SPEED_DN"] / 100.0,
            limits=Hardness(
                accel_m_s2=max(0.5, p["WPNAV_ACCEL"] / 100.0),
                jerk_m_s3=max(0.1, p["WPNAV_JERK"]),
                accel_up_m_s2=max(0.3, p["WPNAV_ACCEL_Z"] / 100.0),
                corner_m=max(0.05, p["WPNAV_RADIUS"] / 100.0),
            ),
            land_fast_m_s=p["LAND_SPEED_HIGH"] / 100.0 or p["WPNAV_SPEED_DN"] / 100.0,
            land_slow_m_s=p["LAND_SPEED"] / 100.0,
            land_low_m=p["LAND_ALT_LOW"] / 100.0,
            nose_first=p["WP_YAW_BEHAVIOR"] != 0,
            restart_mission=p["MIS_RESTART"] != 0,
            stick_down_m_s=p["PILOT_SPEED_DN"] / 100.0 or _STICK_LOW_M_S,
        )

    @property
    def has_position(self) -> bool:
        return self.up_time_s >= POSITION_S

    def problem(self) -> str | None:
        return arming_problem(self)

    # --- what a ground station asks for ---

    def set_mode(self, mode: FlightMode) -> bool:
        assert isinstance(mode, Mode)
        if mode is self.mode:
            return True
        if self.armed and mode.needs_position and not self.has_position:
            return self._refuse(f"Mode change to {mode.name} failed: requires position")
        if mode is Mode.AUTO and not self._may_enter_auto():
            return False
        if self.mode is Mode.AUTO:
            self.run.stop()
        self.mode = mode
        self.drone.face_deg = None
        self._plain_speeds()
        self._manoeuvre = self._entered(mode) if self.armed else None
        if mode is Mode.AUTO and self.armed:
            self.run.start_or_resume(self.helm)
            self.auto_armed = self.auto_armed or not self.landed
        return True

    def arm(self, *, forced: bool = False) -> bool:
        if self.armed:
            return True
        problem = None if forced else self.problem()
        if problem is None and not self._mode_may_arm():
            problem = f"{self.mode.name} mode not armable"
        if problem is not None:
            self._say(mav.MAV_SEVERITY_CRITICAL, f"Arm: {problem}")
            return False
        if self.has_position:
            self.home = self.drone.believed
        self._say(mav.MAV_SEVERITY_INFO, "Arming motors")
        self._plain_speeds()
        self.armed = True
        self.auto_armed = False
        self._idle_since_s = self.now_s
        self._manoeuvre = None
        if self.mode is Mode.AUTO:
            self.auto_armed = bool(self.params.whole("AUTO_OPTIONS") & TAKE_OFF_UNASKED)
            self.run.start_or_resume(self.helm)
        return True

    def take_off(self, above_home_m: float) -> bool:
        if not self.armed or self.mode is not Mode.GUIDED or self.drone.airborne or not above_home_m > 0:
            return False
        self.auto_armed = True
        self._manoeuvre = TakeOff(self.helm, self.helm.home.up_m + above_home_m)
        return True

    def start_mission(self) -> bool:
        """Begin the mission; ArduCopter says yes even where AUTO then refuses to fly."""
        if not self.set_mode(Mode.AUTO):
            return len(self.run.items) > 1
        self.auto_armed = True
        if self.armed and not self.run.running:
            self.run.start_or_resume(self.helm)
        return True

    def pause(self) -> bool:
        """Hover inside AUTO or GUIDED; a take-off, a landing or a wait is not paused."""
        if self.mode is Mode.AUTO and self.run.running and isinstance(self.run.manoeuvre, Travel):
            if not self.run.manoeuvre.arrived:
                self.run.pause(self.helm)
                return True
        elif self.mode is Mode.GUIDED and not self.landed:
            self._manoeuvre = Stay(self.helm)
            return True
        self._say(mav.MAV_SEVERITY_INFO, "Failed to pause")
        return False

    def resume(self) -> bool:
        if self.mode is Mode.AUTO and self.run.running:
            self.run.resume(self.helm)
            return True
        return self.mode is Mode.GUIDED

    def fly(self, manoeuvre: Manoeuvre) -> bool:
        if not self.armed or self.mode is not Mode.GUIDED or self.landed:
            return False
        self._manoeuvre = manoeuvre
        return True

    def wake_in_flight(self, home: Point | None) -> None:
        self.boot_s -= POSITION_S  # the estimate is kept over a watchdog's reset
        self.home = home
        self.armed = self.auto_armed = True
        self.set_mode(Mode.LAND)

    # --- coming home ---

    def way_home(self) -> WayHome:
        """To the nearest rally point within RALLY_LIMIT_KM, where it is nearer than home."""
        p, home, at = self.params, self.home or Point(0.0, 0.0, 0.0), self.drone.believed
        to = self._rally_or_home(home)
        climbed = at.up_m + max(0.0, p["RTL_CLIMB_MIN"] / 100.0)
        ground = 0.0
        if p.whole("RTL_ALT_TYPE") == _TERRAIN_HEIGHTS:
            ground = max(self.ground_known_m(end.east_m, end.north_m) for end in (at, to))
        base = home.up_m + ground
        wanted = max(p["RTL_ALT"] / 100.0, _LEAST_RTL_M, climbed - base)
        slope = p["RTL_CONE_SLOPE"]
        if slope >= 0.5:
            away = math.hypot(to.east_m - at.east_m, to.north_m - at.north_m)
            wanted = min(wanted, max(_LEAST_RTL_M, away * slope))
        if self._fence_is_on() and p.whole("FENCE_TYPE") & Crossed.TOP:
            wanted = min(wanted, p["FENCE_ALT_MAX"] - p["FENCE_MARGIN"])
        final = p["RTL_ALT_FINAL"] / 100.0
        return WayHome(
            to=to,
            up_m=max(at.up_m, base + wanted, to.up_m),
            speed_m_s=p["RTL_SPEED"] / 100.0 or self.tuning.speed_m_s,
            wait_s=p["RTL_LOIT_TIME"] / 1000.0,
            hover_up_m=home.up_m + final if final > 0 else None,
        )

    def _rally_or_home(self, home: Point) -> Point:
        def away_m(point: Point) -> float:
            at = self.drone.believed
            return math.hypot(point.east_m - at.east_m, point.north_m - at.north_m)

        nearest = min(self.rally_points(), key=away_m, default=None)
        if nearest is None or 0 < self.params["RALLY_LIMIT_KM"] * 1000.0 < away_m(nearest):
            return home
        if self.params["RALLY_INCL_HOME"] and away_m(home) <= away_m(nearest):
            return home
        return nearest

    # --- what it watches ---

    def _watch(self) -> None:
        if self.drone.crashed:
            self._say(mav.MAV_SEVERITY_EMERGENCY, "Crash: Disarming: AngErr=71>30, Accel=0.7<3.0")
            self.disarm(forced=True)
            return
        if self.landed:
            self._watch_ground()
        else:
            self._idle_since_s = None
        found = self.battery.check(self.now_s)
        if found is not None:
            self._say(mav.MAV_SEVERITY_WARNING, found[0])
            self._act(found[1], "Battery Failsafe", critical=self.battery.critical)
        if self.armed and self.ground.lost(self.now_s):
            self._ground_lost()
        if self.position.lost(self.drone.troubles, self.now_s):
            self._position_lost()

    def _position_lost(self) -> None:
        self._say(mav.MAV_SEVERITY_CRITICAL, "EKF variance")
        if self.armed and self.mode.needs_position and self.params["FS_EKF_ACTION"]:
            self._act(Action.LAND, "EKF Failsafe: changed to LAND Mode", critical=True)

    def _watch_ground(self) -> None:
        if self._idle_since_s is None:
            self._idle_since_s = self.now_s
        delay_s = self.params["DISARM_DELAY"]
        if self._has_landed_itself() or 0 < delay_s <= self.now_s - self._idle_since_s:
            self.disarm()

    def _has_landed_itself(self) -> bool:
        """Return whether being on the ground ends the flight, as after RTL and LAND."""
        if self.mode is Mode.AUTO:
            return self.run.state == COMPLETE
        return self.mode.comes_down

    def _ground_lost(self) -> None:
        options = self.params.whole("FS_OPTIONS")
        if self.mode.is_landing and self.battery.critical:
            self._say(mav.MAV_SEVERITY_WARNING, "GCS + Battery Failsafe - Continuing Landing")
        elif self.mode.is_landing and options & CONTINUE_LANDING:
            self._say(mav.MAV_SEVERITY_WARNING, "GCS Failsafe - Continuing Landing")
        elif self.mode is Mode.AUTO and options & CONTINUE_IN_AUTO:
            self._say(mav.MAV_SEVERITY_WARNING, "GCS Failsafe - Continuing Auto Mode")
        elif isinstance(self.mode, Mode) and self.mode.is_a_pilots and options & CONTINUE_AS_PILOT:
            self._say(mav.MAV_SEVERITY_WARNING, "GCS Failsafe - Continuing Pilot Control")
        else:
            self._act(self.ground.action, "GCS Failsafe", critical=False)

    def _act(self, action: Action, why: str, *, critical: bool) -> None:
        if action is Action.NONE:
            return
        if self.landed:
            self._say(mav.MAV_SEVERITY_WARNING, f"{why} - Disarming")
            self.disarm()
            return
        if self.mode.is_landing and self.params.whole("FS_OPTIONS") & CONTINUE_LANDING and not critical:
            self._say(mav.MAV_SEVERITY_WARNING, f"{why} - Continuing Landing")
            return
        self._say(mav.MAV_SEVERITY_WARNING, why)
        match action:
            case Action.TERMINATE:
                self.disarm(forced=True)
            case Action.LAND:
                self.set_mode(Mode.LAND)
            case Action.BRAKE_OR_LAND:
                self.set_mode(Mode.BRAKE)
            case _:  # a drone that keeps no path of its way out goes home the plain way
                self.set_mode(Mode.RTL)

    # --- fences ---

    def _fence_is_on(self) -> bool:
        return self.params["FENCE_ENABLE"] != 0

    def _fence_limits(self) -> Limits:
        kinds, p = self.params.whole("FENCE_TYPE"), self.params
        return Limits(
            radius_m=p["FENCE_RADIUS"] if kinds & Crossed.CIRCLE else math.inf,
            top_m=p["FENCE_ALT_MAX"] if kinds & Crossed.TOP else math.inf,
            bottom_m=p["FENCE_ALT_MIN"] if kinds & Crossed.BOTTOM and not self.landed else -math.inf,
        )

    def _fence_crossed(self, new: Crossed, beyond_m: float) -> None:
        if new & Crossed.SHAPES and not self.params.whole("FENCE_TYPE") & Crossed.SHAPES:
            new &= ~Crossed.SHAPES
            if not new:
                return
        action = self.params.whole("FENCE_ACTION")
        if not self.landed:
            self._say(mav.MAV_SEVERITY_NOTICE, "Fence Breached")
        if action == 0:
            return
        if self.landed:
            self.disarm()
        elif beyond_m > _GIVE_UP_M or action == _FENCE_LAND:
            self.set_mode(Mode.LAND)
        elif action == _FENCE_BRAKE:
            self.set_mode(Mode.BRAKE)
        else:
            self.set_mode(Mode.RTL)

    # --- modes ---

    def _plain_speeds(self) -> None:
        """Fly at the parameters' speeds again: changing the mode forgets what a mission asked for."""
        tuning = self.tuning
        self.speed_m_s = tuning.speed_m_s
        self.drone.climb_m_s, self.drone.descent_m_s = tuning.climb_m_s, tuning.descent_m_s

    def _entered(self, mode: Mode) -> Manoeuvre | None:
        if self.landed:
            return None
        match mode:
            case Mode.RTL | Mode.SMART_RTL:
                return Return(self.helm, self.way_home())
            case Mode.LAND:
                return Landing(self.helm)
            case Mode.STABILIZE:
                return Sinking(self.helm, _NO_THRUST_M_S)
            case Mode.ALT_HOLD | Mode.LOITER | Mode.POSHOLD:
                return Sinking(self.helm, self.tuning.stick_down_m_s)
            case Mode.AUTO:
                return None
        return Stay(self.helm)

    def _may_enter_auto(self) -> bool:
        if len(self.run.items) <= 1:
            return self._refuse("Mode change to AUTO failed: init failed")
        if self.armed and self.landed and not self.run.starts_with_takeoff():
            return self._refuse("Auto: Missing Takeoff Cmd")
        return True

    def _mode_may_arm(self) -> bool:
        if self.mode is Mode.AUTO:
            return bool(self.params.whole("AUTO_OPTIONS") & ARM_IN_AUTO)
        return isinstance(self.mode, Mode) and self.mode.may_arm

    @property
    def needs_terrain(self) -> bool:
        """Whether the mission or the way home is in heights above the ground."""
        return self.params.whole("RTL_ALT_TYPE") == _TERRAIN_HEIGHTS or any(
            i.frame == it.TERRAIN for i in self.run.items
        )
