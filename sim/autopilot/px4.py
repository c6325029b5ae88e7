"""PX4: what its modes, its arming, its failsafes and its fence do.

From PX4's own source and documentation in 2026 (Commander.cpp, failsafe.cpp, mission_base.cpp;
https://docs.px4.io/main/en/config/safety and /flight_modes_mc/), not flown here. What a ground
station notices most: it stands in HOLD after boot and arms there or in MISSION; MISSION_START arms by
itself; HOLD pauses a mission and MISSION goes on; a mission begun on the ground at any item climbs
first; disarming keeps the current item unless it was the last; a failsafe holds for
COM_FAIL_ACT_T before it acts. The words of its texts change from version to version.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from sim.autopilot import items as it
from sim.autopilot.auto import COMPLETE, MissionRun
from sim.autopilot.dialect import mav
from sim.autopilot.failsafe import Action, BatteryWatch, GroundWatch
from sim.autopilot.geofence import Crossed, Limits
from sim.autopilot.items import Item
from sim.autopilot.manoeuvres import (
    Helm,
    Landing,
    Manoeuvre,
    Return,
    Sinking,
    Stay,
    TakeOff,
    Then,
    WayHome,
)
from sim.autopilot.pilot import PAD, FlightMode, Pilot
from sim.autopilot.px4_modes import Px4Mode
from sim.autopilot.tuning import Tuning
from sim.drone import Limits as Hardness
from sim.drone import Point

READY_S = 20.0  # after boot, when its estimate has settled on the GPS
_FALLS_M_S = 6.0
_EXCEPT_MISSION, _EXCEPT_AUTO = 1, 2  # bits of COM_DLL_EXCEPT
_CORNER_M = 2.0
_WARN, _HOLD, _RETURN, _TERMINATE, _LAND = 1, 2, 3, 4, 5  # GF_ACTION
_RALLY_ONLY, _NEAREST = 1, 3  # RTL_TYPE


@dataclass(slots=True)
class Px4GroundWatch(GroundWatch):
    """Notices that no ground station is heard any more; any one will do."""

    @property
    def regained(self) -> str:
        return "Connection to ground station regained"

    def heartbeat(self, system_id: int, now_s: float) -> bool:
        self.heard_s = now_s
        ended, self.failed = self.failed, False
        return ended

    def lost(self, now_s: float) -> bool:
        if self.heard_s is None or self.failed:
            return False
        self.failed = now_s - self.heard_s > self.params["COM_DL_LOSS_T"]
        return self.failed

    @property
    def action(self) -> Action:
        """What NAV_DLL_ACT asks for: 0 nothing, 1 hold, 2 return, 3 land, 5 terminate, 6 disarm."""
        match self.params.whole("NAV_DLL_ACT"):
            case 1:
                return Action.BRAKE_OR_LAND
            case 2:
                return Action.RTL
            case 3:
                return Action.LAND
            case 5 | 6:
                return Action.TERMINATE
        return Action.NONE


@dataclass(slots=True)
class Px4BatteryWatch(BatteryWatch):
    """Notices a low, a critical and a nearly empty battery by its charge."""

    emergency: bool = False

    def check(self, now_s: float) -> tuple[str, Action] | None:
        p, action = self.params, self.params.whole("COM_LOW_BAT_ACT")
        share = self.believed_share
        if not self.emergency and share < p["BAT_EMERGEN_THR"]:
            self.emergency = self.critical = self.low = True
            acts = {0: Action.NONE, 1: Action.RTL}.get(action, Action.LAND)
            return f"Emergency battery: {share:.0%} left", acts
        if not self.critical and share < p["BAT_CRIT_THR"]:
            self.critical = self.low = True
            acts = {0: Action.NONE, 2: Action.LAND}.get(action, Action.RTL)
            return f"Critical battery: {share:.0%} left", acts
        if not self.low and share < p["BAT_LOW_THR"]:
            self.low = True
            return f"Low battery: {share:.0%} left", Action.NONE
        return None

    def recovered(self, now_s: float) -> None:
        if self.believed_share >= self.params["BAT_LOW_THR"]:
            self.low = self.critical = self.emergency = False

    @property
    def believed_share(self) -> float:
        """The charge left as PX4 estimates it: by the charge counted, less where the voltage sags."""
        return max(0.0, self.battery.share - self.battery.drop_v * 0.02)


class Px4(Pilot):
    """The flying of one PX4."""

    mode: FlightMode = Px4Mode.HOLD
    _delayed: tuple[float, Px4Mode] | None = None  # when a failsafe acts, after its hold
    _return_wanted = False

    def _ground_watch(self) -> GroundWatch:
        return Px4GroundWatch(self.params)

    def _battery_watch(self) -> BatteryWatch:
        return Px4BatteryWatch(self.params, self.drone.battery)

    def _mission_run(self, do: Callable[[Item], bool]) -> MissionRun:
        return MissionRun(
            self.body.lists[0],
            do=do,
            locate=self.locate,
            come_home=self._mission_returns,
            ground_m=self.ground_known_m,
            say=lambda text: None,
            first=0,
            reports_all=True,
        )

    def _mission_returns(self, helm: Helm) -> Manoeuvre:
        """End the mission with a change to RETURN, as PX4's return item does."""
        self._return_wanted = True
        return Stay(helm)

    def _tune(self) -> Tuning:
        p = self.params
        return Tuning(
            speed_m_s=min(p["MPC_XY_CRUISE"], p["MPC_XY_VEL_MAX"]),
            climb_m_s=p["MPC_Z_V_AUTO_UP"],
            descent_m_s=p["MPC_Z_V_AUTO_DN"],
            limits=Hardness(
                accel_m_s2=max(0.5, p["MPC_ACC_HOR"]),
                jerk_m_s3=max(0.1, p["MPC_JERK_AUTO"]),
                accel_up_m_s2=max(0.5, p["MPC_ACC_UP_MAX"] / 2.0),
                corner_m=_CORNER_M,
            ),
            land_fast_m_s=p["MPC_Z_V_AUTO_DN"],
            land_slow_m_s=p["MPC_LAND_SPEED"],
            land_low_m=p["MPC_LAND_ALT1"],
            nose_first=p["MPC_YAW_MODE"] in (0, 3, 4),
        )

    @property
    def has_position(self) -> bool:
        return self.up_time_s >= READY_S

    @property
    def mission_is_valid(self) -> bool:
        """Whether its first place is not farther than MIS_DIST_1WP."""
        first = next((i for i in self.run.items if i.is_navigation and i.frame != 2), None)
        if not self.run.items or self.home is None:
            return False
        if first is None or self.params["MIS_DIST_1WP"] <= 0:
            return first is not None
        east, north = self.tangent.to_local(first.x / 1e7, first.y / 1e7)
        return math.hypot(east - self.home.east_m, north - self.home.north_m) <= self.params["MIS_DIST_1WP"]

    def problem(self) -> str | None:
        if self.drone.crashed:
            return "Crash dumps present on SD card"
        if not self.has_position:
            return "ekf2 missing data"
        if self.drone.troubles.is_lost:
            return "No valid global position estimate"
        if self.battery.emergency if isinstance(self.battery, Px4BatteryWatch) else False:
            return "Low battery"
        if isinstance(self.mode, Px4Mode) and self.mode.is_a_pilots:
            return "No manual control input"
        if self.mode is Px4Mode.MISSION and not self.mission_is_valid:
            return "No valid mission available"
        if self.params["NAV_DLL_ACT"] and (self.ground.failed or self.ground.heard_s is None):
            return "No connection to the ground control station"
        if self._fence_is_on() and self.crossed and self.params["GF_ACTION"]:
            return "Vehicle outside geofence"
        return None

    # --- what a ground station asks for ---

    def set_mode(self, mode: FlightMode) -> bool:
        assert isinstance(mode, Px4Mode)
        self._delayed = None
        return self._change(mode)

    def _change(self, mode: Px4Mode) -> bool:
        if mode is self.mode:
            return True
        if self.armed and mode.needs_position and not self.has_position:
            return self._refuse(f"Switching to mode '{mode.name.title()}' is currently not possible")
        if mode is Px4Mode.MISSION and not self.mission_is_valid:
            return self._refuse("Switching to mode 'Mission' is currently not possible")
        if self.mode is Px4Mode.MISSION:
            self.run.stop()
        self.mode = mode
        self.drone.face_deg = None
        self._plain_speeds()
        self._manoeuvre = self._entered(mode) if self.armed else None
        if mode is Px4Mode.MISSION and self.armed:
            self._begin_mission()
        return True

    def arm(self, *, forced: bool = False) -> bool:
        if self.armed:
            return True
        problem = None if forced else self.problem()
        if problem is None and self.mode in (Px4Mode.RETURN, Px4Mode.LAND):
            problem = f"Mode not suitable: {self.mode.name.title()}"
        if problem is not None:
            self._say(mav.MAV_SEVERITY_CRITICAL, f"Arming denied: {problem}")
            return False
        if self.has_position and self.params["COM_HOME_EN"]:
            self.home = self.drone.believed
        self._say(mav.MAV_SEVERITY_INFO, "Armed by external command")
        self._plain_speeds()
        self.armed = self.auto_armed = True
        self._idle_since_s = self.now_s
        self._manoeuvre = self._entered(self.mode) if self.mode is Px4Mode.TAKEOFF else None
        if self.mode is Px4Mode.MISSION:
            self._begin_mission()
        return True

    def _disarmed(self) -> None:
        """Keep the mission's place: only a finished one begins at the beginning again."""
        self._say(mav.MAV_SEVERITY_INFO, "Disarmed")
        self._delayed = None
        run, finished = self.run, self.run.state == COMPLETE
        kept = 0 if finished or run.current >= len(run.items) - 1 else run.current
        run.reset()
        run.current = kept
        if finished:
            run.state = COMPLETE
        if self.mode in (Px4Mode.LAND, Px4Mode.TAKEOFF):
            self.mode = Px4Mode.HOLD

    def take_off(self, above_home_m: float) -> bool:
        """Change to TAKEOFF, which climbs as soon as it is armed; a NaN height is MIS_TAKEOFF_ALT."""
        unknown = math.isnan(above_home_m)
        self._climb_to_m = self.params["MIS_TAKEOFF_ALT"] if unknown else above_home_m
        if self.mode is Px4Mode.TAKEOFF and self.armed:
            self._manoeuvre = self._entered(Px4Mode.TAKEOFF)
            return True
        return self.set_mode(Px4Mode.TAKEOFF)

    _climb_to_m = 2.5

    def start_mission(self) -> bool:
        """Change to MISSION and arm."""
        if not self.mission_is_valid:
            self._say(mav.MAV_SEVERITY_CRITICAL, "Mission start denied! No valid mission")
            return False
        return self.set_mode(Px4Mode.MISSION) and self.arm()

    def pause(self) -> bool:
        return False  # MAV_CMD_DO_PAUSE_CONTINUE is not known to PX4: HOLD pauses

    def resume(self) -> bool:
        return False

    def fly(self, manoeuvre: Manoeuvre) -> bool:
        if not self.armed or self.mode is not Px4Mode.HOLD or self.landed:
            return False
        self._manoeuvre = manoeuvre
        return True

    def wake_in_flight(self, home: Point | None) -> None:
        self.boot_s -= READY_S
        self.home = home
        self.armed = self.auto_armed = True
        self._change(Px4Mode.LAND)

    # --- the mission ---

    def _begin_mission(self) -> None:
        """Fly the mission from its current item, after a climb where it begins on the ground."""
        run = self.run
        if run.state == COMPLETE or run.current >= len(run.items):
            run.current = 0
        run.start_or_resume(self.helm)
        first = run.item
        if self.landed and first is not None and first.command != it.TAKEOFF and run.manoeuvre is not None:
            up = self.helm.home.up_m + self.params["MIS_TAKEOFF_ALT"]
            if first.has_place:
                up = max(up, self.locate(first).up_m)
            run.manoeuvre = Then(TakeOff(self.helm, up), run.manoeuvre)

    # --- coming home ---

    def way_home(self) -> WayHome:
        """To home or the nearest rally point, as RTL_TYPE has it, at RTL_RETURN_ALT or inside its cone."""
        p, home, at = self.params, self.home or PAD, self.drone.believed
        to = self._rally_or_home(home)
        away = math.hypot(to.east_m - at.east_m, to.north_m - at.north_m)
        up = to.up_m + self._height_m(away)
        land_delay_s = p["RTL_LAND_DELAY"]
        hover = to.up_m + p["RTL_DESCEND_ALT"] if land_delay_s < 0 else None
        return WayHome(to, max(up, at.up_m), self.tuning.speed_m_s, max(0.0, land_delay_s), hover)

    def _height_m(self, away_m: float) -> float:
        """Return how high above its end the way home is flown."""
        p = self.params
        if away_m < p["RTL_MIN_DIST"]:
            return p["RTL_DESCEND_ALT"]
        cone = p["RTL_CONE_ANG"]
        if 0 < cone < 90:
            return min(p["RTL_RETURN_ALT"], max(p["RTL_DESCEND_ALT"], away_m / math.tan(math.radians(cone))))
        return p["RTL_RETURN_ALT"] if cone == 0 else p["RTL_DESCEND_ALT"]

    def _rally_or_home(self, home: Point) -> Point:
        at = self.drone.believed
        ends = list(self.rally_points())
        if self.params.whole("RTL_TYPE") != _RALLY_ONLY or not ends:
            ends.append(home)
        return min(ends, key=lambda e: math.hypot(e.east_m - at.east_m, e.north_m - at.north_m))

    # --- what it watches ---

    def follow_up(self) -> None:
        super().follow_up()
        if self._return_wanted:
            self._return_wanted = False
            self.run.state = COMPLETE
            self._change(Px4Mode.RETURN)
        if self._delayed is not None and self.now_s >= self._delayed[0]:
            mode, self._delayed = self._delayed[1], None
            if self.armed and not self.landed:
                self._change(mode)

    def _watch(self) -> None:
        if self.drone.crashed:
            self._say(mav.MAV_SEVERITY_EMERGENCY, "Critical failure detected: terminating")
            self.disarm(forced=True)
            return
        if self.landed:
            self._watch_ground()
            if not self.armed:
                return
        else:
            self._idle_since_s = None
        found = self.battery.check(self.now_s)
        if found is not None:
            self._say(mav.MAV_SEVERITY_CRITICAL, found[0])
            self._act(found[1])
        if self.ground.lost(self.now_s):
            self._say(mav.MAV_SEVERITY_CRITICAL, "Connection to ground station lost")
            if not self._link_may_be_lost():
                self._act(self.ground.action)
        if self.position.lost(self.drone.troubles, self.now_s):
            self._say(mav.MAV_SEVERITY_CRITICAL, "Failsafe: no valid position, descending")
            self._delayed = None
            if not self.landed:
                self._change(Px4Mode.LAND)

    def _watch_ground(self) -> None:
        """Disarm after a landing, and when nothing comes of arming."""
        if self._idle_since_s is None:
            self._idle_since_s = self.now_s
        ends = self.mode.comes_down or self.run.state == COMPLETE
        limit_s = self.params["COM_DISARM_LAND" if ends else "COM_DISARM_PRFLT"]
        if 0 < limit_s <= self.now_s - self._idle_since_s:
            self.disarm()

    def _link_may_be_lost(self) -> bool:
        """Return whether COM_DLL_EXCEPT lets the present mode go on without a ground station."""
        mask = self.params.whole("COM_DLL_EXCEPT")
        if self.mode is Px4Mode.MISSION:
            return bool(mask & _EXCEPT_MISSION)
        if self.mode is Px4Mode.LAND:
            return True
        return bool(mask & _EXCEPT_AUTO)

    def _act(self, action: Action) -> None:
        """Hold for COM_FAIL_ACT_T, then do what a failsafe asks for."""
        mode = {Action.RTL: Px4Mode.RETURN, Action.LAND: Px4Mode.LAND, Action.BRAKE_OR_LAND: Px4Mode.HOLD}
        if action is Action.NONE or self.landed:
            return
        if action is Action.TERMINATE:
            self.disarm(forced=True)
            return
        wanted = mode[action]
        if self.mode is Px4Mode.LAND or (self.mode is Px4Mode.RETURN and wanted is not Px4Mode.LAND):
            return
        self._say(mav.MAV_SEVERITY_CRITICAL, f"Failsafe activated: switching to {wanted.name.title()}")
        wait_s = self.params["COM_FAIL_ACT_T"]
        if wait_s > 0 and wanted is not Px4Mode.HOLD:
            self._change(Px4Mode.HOLD)
            self._delayed = (self.now_s + wait_s, wanted)
        else:
            self._delayed = None
            self._change(wanted)

    # --- fences ---

    def _fence_is_on(self) -> bool:
        return self.params["GF_ACTION"] != 0

    def _fence_limits(self) -> Limits:
        away, up = self.params["GF_MAX_HOR_DIST"], self.params["GF_MAX_VER_DIST"]
        return Limits(away if away > 0 else math.inf, up if up > 0 else math.inf)

    def _fence_crossed(self, new: Crossed, beyond_m: float) -> None:
        action = self.params.whole("GF_ACTION")
        self._say(mav.MAV_SEVERITY_CRITICAL, "Geofence violated")
        if action == _TERMINATE:
            self.disarm(forced=True)
        elif not self.landed and action in (_HOLD, _RETURN, _LAND):
            self._delayed = None
            self._change({_HOLD: Px4Mode.HOLD, _RETURN: Px4Mode.RETURN, _LAND: Px4Mode.LAND}[action])

    # --- modes ---

    def _plain_speeds(self) -> None:
        tuning = self.tuning
        self.speed_m_s = tuning.speed_m_s
        self.drone.climb_m_s, self.drone.descent_m_s = tuning.climb_m_s, tuning.descent_m_s

    def _entered(self, mode: FlightMode) -> Manoeuvre | None:
        if mode is Px4Mode.TAKEOFF:
            return TakeOff(self.helm, self.helm.home.up_m + max(0.5, self._climb_to_m))
        if self.landed or mode is Px4Mode.MISSION:
            return None
        if mode is Px4Mode.RETURN:
            return Return(self.helm, self.way_home())
        if mode is Px4Mode.LAND:
            return Landing(self.helm)
        if isinstance(mode, Px4Mode) and mode.is_a_pilots:
            return Sinking(self.helm, _FALLS_M_S)
        return Stay(self.helm)

    def _took_off(self) -> None:
        """Go over to HOLD, as PX4 does when its take-off is over."""
        self.mode = Px4Mode.HOLD
        self._manoeuvre = Stay(self.helm)
