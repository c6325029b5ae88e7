"""The running of a mission: which item is current, what it does, what is told of it.

DO items are done in passing, when the item before them is reached. What is told
is ArduPilot's: the last reporting item that ended since the last telling, so a
number can be skipped ("reached n" means all up to n), and camera items never.
A turn is a condition: DO items behind it wait until the nose is there, while the next
item is flown; those that still wait when that one ends are left out.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from sim.autopilot import items as it
from sim.autopilot.items import Item
from sim.autopilot.manoeuvres import (
    Ground,
    Helm,
    Landing,
    Manoeuvre,
    Stay,
    TakeOff,
    Then,
    Travel,
    TravelOverGround,
)
from sim.drone import Goal, Point, corner_speed_m_s

NONE, NOT_STARTED, ACTIVE, PAUSED, COMPLETE = 1, 2, 3, 4, 5  # MISSION_STATE
_FAR_JUMPS = 100  # items a search may pass before a mission of jumps alone is given up
_TURNED_DEG = 2.0  # so near to its heading a turn counts as made
_TURN_S = 18.0  # one turn at CIRCLE_RATE's 20°/s, hovered here


@dataclass(slots=True)
class MissionRun:
    """The progress through a mission list that its owner may change at any time."""

    items: list[Item]
    do: Callable[[Item], bool]  # carries out a DO item
    locate: Callable[[Item], Point]  # its place in metres around the pad
    come_home: Callable[[Helm], Manoeuvre]  # what a return-to-launch item does
    ground_m: Ground  # the ground as far as it is known
    say: Callable[[str], None]
    first: int = 1  # the number of the first item that is flown: with ArduPilot item 0 is home
    reports_all: bool = False  # PX4 tells of every item that ended, ArduPilot not of the camera's
    current: int = 0
    state: int = NOT_STARTED
    paused: bool = False
    manoeuvre: Manoeuvre | None = None
    reached: int | None = None  # to be told, then None
    _jumps: dict[int, int] = field(default_factory=dict)
    _turning: bool = False  # a turn is being made, and DO items wait for it
    _held: list[int] = field(default_factory=list)
    _passed: Point | None = None  # the waypoint just flown through: the next leg starts there

    @property
    def item(self) -> Item | None:
        """The current item, if there is one."""
        return self.items[self.current] if 0 <= self.current < len(self.items) else None

    @property
    def running(self) -> bool:
        return self.state == ACTIVE

    @property
    def shown_state(self) -> int:
        """The state MISSION_CURRENT tells."""
        if len(self.items) <= self.first:
            return NONE
        return PAUSED if self.paused and self.running else self.state

    def starts_with_takeoff(self) -> bool:
        """Whether the next thing flown would be a take-off; a delay before it does not matter."""
        for item in self.items[max(self.first, self.current) :]:
            if item.is_navigation and item.command != it.DELAY:
                return item.command == it.TAKEOFF
        return False

    def start_or_resume(self, helm: Helm) -> None:
        """Go on at the current item, or begin: after the end, and always with MIS_RESTART."""
        if self.state == COMPLETE or (helm.tuning.restart_mission and not self.running):
            self.current = 0
            self._jumps.clear()
        self.paused = False
        self._passed = None
        self.state = ACTIVE
        if self.current < self.first or self.current >= len(self.items):
            self._advance(helm, self.first)
        elif self.items[self.current].is_navigation:
            self.manoeuvre = self._begin(helm, self.items[self.current])
        else:
            self._advance(helm, self.current)

    def stop(self) -> None:
        """Leave the mission where it is; the current item is flown again on return."""
        if self.state == ACTIVE:
            self.state = PAUSED
        self.paused = False
        self.manoeuvre = None

    def reset(self) -> None:
        """Begin at the beginning next time, as disarming does."""
        self.current = 0
        self.manoeuvre = None
        self.paused = False
        self._wait_no_more()
        self._jumps.clear()
        if self.state != COMPLETE:
            self.state = NOT_STARTED

    def set_current(self, seq: int, helm: Helm) -> bool:
        """Make an item the current one, and fly it when the mission runs."""
        if seq >= len(self.items):
            return False
        self.current = seq
        self._wait_no_more()
        self._passed = None
        if self.state == COMPLETE:
            self.state = PAUSED
        if self.running:
            self.start_or_resume(helm)
        return True

    def pause(self, helm: Helm) -> None:
        """Hover where the drone is and stay in the mission."""
        self.paused = True
        self.manoeuvre = Stay(helm)

    def resume(self, helm: Helm) -> None:
        """Fly the current item on from here."""
        if self.paused:
            self.start_or_resume(helm)

    def goal(self, helm: Helm, now_s: float) -> Goal | None:
        """Return the goal for the next step; None when there is nothing to fly."""
        if self.manoeuvre is None:
            return None
        if self._turning:
            self._do_held(helm)
        if self.running and self.current >= len(self.items):  # the plan was cut under it
            self._complete()
            self.manoeuvre = Stay(helm)
        goal = self.manoeuvre.goal(helm, now_s)
        while self.running and not self.paused and self.manoeuvre is not None and self.manoeuvre.done:
            item = self.items[self.current]
            self.reached = self.current
            if isinstance(self.manoeuvre, Travel):
                self._passed = self.manoeuvre.leg.end if self.manoeuvre.leg.exit_m_s > 0.1 else None
            if item.command in it.LAND_WORDS:
                self._complete()
                return goal
            self._advance(helm, self.current + 1)
            goal = self.manoeuvre.goal(helm, now_s)
        return goal

    def _advance(self, helm: Helm, seq: int) -> None:
        """Do the DO items from `seq` on and begin the next item that is flown."""
        self._wait_no_more()
        for _ in range(_FAR_JUMPS + len(self.items)):
            if seq >= len(self.items):
                break
            item = self.items[seq]
            if item.is_navigation:
                self.current = seq
                self.say(f"Mission: {seq} {item.name}")
                self.manoeuvre = self._begin(helm, item)
                return
            if item.command == it.JUMP:
                seq = self._jump(seq, item)
                continue
            if self._turning:
                self._held.append(seq)
            else:
                self._carry_out(seq)
            seq += 1
        self._complete()
        self.manoeuvre = Stay(helm)  # ArduCopter hovers when its mission ends in the air

    def _carry_out(self, seq: int) -> None:
        item = self.items[seq]
        self.say(f"Mission: {seq} {item.name}")
        self._turning = self.do(item) and item.command == it.YAW
        if item.reports or self.reports_all:
            self.reached = seq

    def _wait_no_more(self) -> None:
        self._turning = False
        self._held.clear()

    def _do_held(self, helm: Helm) -> None:
        """Do what waited for a turn, once the nose is where it was to turn to."""
        drone = helm.drone
        wanted = drone.heading_deg if drone.face_deg is None else drone.face_deg
        if abs((wanted - drone.heading_deg + 180.0) % 360.0 - 180.0) > _TURNED_DEG:
            return
        self._turning = False
        while self._held and not self._turning:
            if (seq := self._held.pop(0)) < len(self.items):
                self._carry_out(seq)

    def _jump(self, seq: int, item: Item) -> int:
        target, times = int(item.params[0]), int(item.params[1])
        done = self._jumps.get(seq, 0)
        if not self.first <= target < len(self.items) or (times >= 0 and done >= times):
            return seq + 1
        self._jumps[seq] = done + 1
        return target

    def _complete(self) -> None:
        self.state = COMPLETE

    def _begin(self, helm: Helm, item: Item) -> Manoeuvre:
        start, self._passed = self._passed, None
        match item.command:
            case it.TAKEOFF:
                return TakeOff(helm, self.locate(item).up_m)
            case it.RETURN:
                return self.come_home(helm)
            case it.LAND:
                return self._land(helm, item)
            case it.GUIDED_ENABLE | it.DELAY:
                return Stay(helm, max(0.0, item.params[0]))
        end = self.locate(item)
        wait_s = self._wait_s(item)
        exit_m_s = 0.0 if wait_s else self._exit_m_s(helm, start, end)
        if item.frame == it.TERRAIN:
            return TravelOverGround(helm, end, self.ground_m, start=start, exit_m_s=exit_m_s, wait_s=wait_s)
        return Travel(helm, end, start=start, exit_m_s=exit_m_s, wait_s=wait_s)

    def _land(self, helm: Helm, item: Item) -> Manoeuvre:
        if not item.has_place:
            return Landing(helm)
        over = self.locate(item)
        return Then(
            Travel(helm, Point(over.east_m, over.north_m, helm.drone.believed.up_m)), Landing(helm, over)
        )

    @staticmethod
    def _wait_s(item: Item) -> float:
        match item.command:
            case it.LOITER:
                return math.inf
            case it.TURNS:
                return abs(item.params[0]) * _TURN_S
            case it.LOITER_TIME | it.WAYPOINT | it.SPLINE:
                return max(0.0, item.params[0])
        return 0.0

    def _exit_m_s(self, helm: Helm, start: Point | None, end: Point) -> float:
        """Return how fast the end may be passed: only where another waypoint follows at once."""
        for item in self.items[self.current + 1 :]:
            if not item.is_navigation and item.command != it.JUMP:
                continue
            if item.command not in (it.WAYPOINT, it.SPLINE):
                return 0.0
            leg = Travel(helm, end, start=start).leg
            return min(helm.speed_m_s, corner_speed_m_s(leg, self.locate(item), helm.drone.limits))
        return 0.0
