"""Modes, arming and what follows from them: ArduCopter's flying half without its messages.

The pilot owns the drone's body. It is told what to do by the command handlers
and asked to step; it says what a ground station would read as STATUSTEXT.
"""

from collections.abc import Callable

from missions.geo import LatLon
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
    PositionWatch,
)
from sim.autopilot.items import Item
from sim.autopilot.manoeuvres import Helm, Landing, Manoeuvre, Return, Sinking, Stay, TakeOff, Travel
from sim.autopilot.modes import Mode
from sim.autopilot.parameters import Parameters
from sim.autopilot.readiness import POSITION_S, arming_problem
from sim.drone import Goal, Idle, Multirotor, Point, Rest
from sim.tangent import Tangent

FORCED = 21196  # the magic number of MAV_CMD_COMPONENT_ARM_DISARM
ARM_IN_AUTO, TAKE_OFF_UNASKED = 1, 2  # bits of AUTO_OPTIONS
_STICK_LOW_M_S = 2.5
_NO_THRUST_M_S = 6.0

Say = Callable[[int, str], None]


class Pilot:
    """The flying of one vehicle."""

    def __init__(
        self,
        drone: Multirotor,
        params: Parameters,
        mission: list[Item],
        *,
        tangent: Tangent,
        pad_amsl_m: float,
        ground_m: Callable[[float, float], float],
        say: Say,
        do: Callable[[Item], bool],
        boot_s: float,
    ) -> None:
        self.drone = drone
        self.params = params
        self.tangent = tangent
        self.pad_amsl_m = pad_amsl_m
        self.boot_s = boot_s
        self.now_s = boot_s
        self.mode = Mode.STABILIZE
        self.armed = False
        self.auto_armed = False
        self.home: Point | None = None
        self.speed_m_s = params["WPNAV_SPEED"] / 100.0
        self.waiting_for_terrain = False
        self.ground = GroundWatch(params)
        self.battery = BatteryWatch(params, drone.battery)
        self.position = PositionWatch()
        self.run = MissionRun(mission, do, self.locate, lambda text: say(mav.MAV_SEVERITY_INFO, text))
        self._ground_m = ground_m
        self._say = say
        self._manoeuvre: Manoeuvre | None = None
        self._idle_since_s: float | None = None

    # --- what the telemetry reads ---

    @property
    def up_time_s(self) -> float:
        return self.now_s - self.boot_s

    @property
    def has_position(self) -> bool:
        return self.up_time_s >= POSITION_S

    @property
    def landed(self) -> bool:
        return not self.drone.airborne

    @property
    def helm(self) -> Helm:
        return Helm(self.drone, self.params, self.home or Point(0.0, 0.0, 0.0), self.speed_m_s)

    @property
    def in_failsafe(self) -> bool:
        return self.armed and (self.ground.failed or self.battery.low)

    def problem(self) -> str | None:
        """Return what keeps the motors from starting now, or None."""
        return arming_problem(self)

    def locate(self, item: Item) -> Point:
        """Return an item's place in metres around the pad; without one, the drone's own."""
        east, north = self.drone.believed.east_m, self.drone.believed.north_m
        if item.has_place:
            east, north = self.tangent.to_local(item.x / 1e7, item.y / 1e7)
        home_up = self.home.up_m if self.home else 0.0
        match item.frame:
            case it.GLOBAL:
                return Point(east, north, item.z - self.pad_amsl_m)
            case it.TERRAIN:
                return Point(east, north, item.z + self._ground_m(east, north))
        return Point(east, north, item.z + home_up)

    # --- what a ground station asks for ---

    def set_mode(self, mode: Mode) -> bool:
        """Change the mode, or say why not and return False."""
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
        self.speed_m_s = self.params["WPNAV_SPEED"] / 100.0
        self._manoeuvre = self._entered(mode) if self.armed else None
        if mode is Mode.AUTO and self.armed:
            self.run.start_or_resume(self.helm)
            self.auto_armed = self.auto_armed or not self.landed
        return True

    def arm(self, *, forced: bool = False) -> bool:
        """Start the motors, or say why not and return False."""
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
        self.armed = True
        self.auto_armed = False
        self._idle_since_s = self.now_s
        self._manoeuvre = None
        if self.mode is Mode.AUTO:
            self.auto_armed = bool(self.params.whole("AUTO_OPTIONS") & TAKE_OFF_UNASKED)
            self.run.start_or_resume(self.helm)
        return True

    def disarm(self, *, forced: bool = False) -> bool:
        """Stop the motors; in flight only by force."""
        if not self.armed:
            return True
        if self.drone.airborne and not forced:
            return False
        self._say(mav.MAV_SEVERITY_INFO, "Disarming motors")
        self.armed = False
        self.auto_armed = False
        self._manoeuvre = None
        self.run.reset()
        return True

    def take_off(self, above_home_m: float) -> bool:
        """Climb to a height above home from the ground, in GUIDED."""
        if not self.armed or self.mode is not Mode.GUIDED or self.drone.airborne or above_home_m <= 0:
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
        """Hover inside AUTO or GUIDED."""
        if self.mode is Mode.AUTO and self.run.running and not self.landed:
            self.run.pause(self.helm)
            return True
        if self.mode is Mode.GUIDED and not self.landed:
            self._manoeuvre = Stay(self.helm)
            return True
        return False

    def resume(self) -> bool:
        """Fly on after `pause`."""
        if self.mode is Mode.AUTO and self.run.running:
            self.run.resume(self.helm)
            return True
        return self.mode is Mode.GUIDED

    def go_to(self, place: Point) -> bool:
        """Fly straight to a point, in GUIDED and in the air."""
        if not self.armed or self.mode is not Mode.GUIDED or self.landed:
            return False
        self._manoeuvre = Travel(self.helm, place)
        return True

    def fly(self, manoeuvre: Manoeuvre) -> bool:
        """Fly any other piece, in GUIDED and in the air."""
        if not self.armed or self.mode is not Mode.GUIDED or self.landed:
            return False
        self._manoeuvre = manoeuvre
        return True

    def set_home(self, place: LatLon, amsl_m: float) -> None:
        """Make another place home."""
        east, north = self.tangent.to_local(place.lat_deg, place.lon_deg)
        self.home = Point(east, north, amsl_m - self.pad_amsl_m)

    def mission_replaced(self) -> None:
        """Begin the current item afresh: every item written in AUTO does that."""
        if self.mode is Mode.AUTO and self.armed and self.run.running and self.run.manoeuvre is not None:
            self.run.start_or_resume(self.helm)

    def wake_in_flight(self, home: Point | None) -> None:
        """Go on flying after a reboot in the air: armed, knowing home, landing."""
        self.boot_s -= POSITION_S  # the estimate is kept over a watchdog's reset
        self.home = home
        self.armed = self.auto_armed = True
        self.set_mode(Mode.LAND)

    @property
    def is_returning(self) -> bool:
        """Whether it is on its way home or down."""
        if self.mode is Mode.AUTO:
            run = self.run
            return (
                run.running
                and run.current < len(run.items)
                and run.items[run.current].command in it.LAND_WORDS
            )
        return self.mode in (Mode.RTL, Mode.LAND, Mode.SMART_RTL)

    # --- the passing of time ---

    def step(self, now_s: float, wind: tuple[float, float]) -> None:
        """Fly on to `now_s`."""
        dt_s = now_s - self.now_s
        self.now_s = now_s
        if self.home is None and self.has_position:
            self.home = self.drone.believed
        self.drone.step(dt_s, self._goal(), wind)
        if self.armed:
            self._watch()
        elif self.battery.low:
            self.battery.recovered(now_s)

    def _goal(self) -> Goal:
        if not self.armed:
            return Rest()
        if self.mode is Mode.AUTO:
            goal = self.run.goal(self.helm, self.now_s) if self.auto_armed else None
            if goal is None:
                return Idle() if self.landed else (self._hold().goal(self.helm, self.now_s))
            return goal
        if self._manoeuvre is None:
            return Idle() if self.landed else self._hold().goal(self.helm, self.now_s)
        goal = self._manoeuvre.goal(self.helm, self.now_s)
        if self._manoeuvre.done and isinstance(self._manoeuvre, TakeOff):
            self._manoeuvre = Stay(self.helm)
        return goal

    def _hold(self) -> Manoeuvre:
        self._manoeuvre = self._manoeuvre or Stay(self.helm)
        return self._manoeuvre

    def _watch(self) -> None:
        """Notice landings, crashes, idleness and failures."""
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
            self._say(mav.MAV_SEVERITY_CRITICAL, "EKF Failsafe: changed to LAND Mode")
            self._act(Action.LAND, "EKF Failsafe", critical=True)

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
        return self.mode in (Mode.RTL, Mode.LAND, Mode.SMART_RTL)

    def _ground_lost(self) -> None:
        options = self.params.whole("FS_OPTIONS")
        if self.mode is Mode.AUTO and options & CONTINUE_IN_AUTO:
            self._say(mav.MAV_SEVERITY_WARNING, "GCS Failsafe - Continuing Auto Mode")
        elif self.mode is Mode.LAND and options & CONTINUE_LANDING:
            self._say(mav.MAV_SEVERITY_WARNING, "GCS Failsafe - Continuing Landing")
        elif self.mode.is_a_pilots and options & CONTINUE_AS_PILOT:
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
        landing = self.mode is Mode.LAND and self.params.whole("FS_OPTIONS") & CONTINUE_LANDING
        if landing and not critical:
            self._say(mav.MAV_SEVERITY_WARNING, f"{why} - Continuing Landing")
            return
        self._say(mav.MAV_SEVERITY_WARNING, why)
        if action is Action.TERMINATE:
            self.disarm(forced=True)
        else:
            self.set_mode(Mode.LAND if action in (Action.LAND,) else Mode.RTL)

    # --- modes ---

    def _entered(self, mode: Mode) -> Manoeuvre | None:
        if self.landed:
            return None
        match mode:
            case Mode.RTL | Mode.SMART_RTL:
                return Return(self.helm)
            case Mode.LAND:
                return Landing(self.helm)
            case Mode.STABILIZE:
                return Sinking(self.helm, _NO_THRUST_M_S)
            case Mode.ALT_HOLD | Mode.LOITER | Mode.POSHOLD:
                return Sinking(self.helm, self.params["PILOT_SPEED_DN"] / 100.0 or _STICK_LOW_M_S)
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
        return self.mode.may_arm

    def _refuse(self, text: str) -> bool:
        self._say(mav.MAV_SEVERITY_WARNING, text)
        return False
