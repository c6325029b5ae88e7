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
    returning   it stands disarmed on the ground   divert if its door is shut; tell people, keep watching
    diverting   it stands at its alternate         come down where it is
    landing     it stands disarmed on the ground   tell people, keep watching
    closing     the door is closed                 go on, say so
    collecting  every picture is there             go on, say what is missing
    aborting    disarmed and the door closed       fail

Fed with what is seen (`Sight`) it answers with what to do. Orders are repeated
until their *effect* is seen: an acknowledgement is not completion. Silence of
the drone ends no stage, so a lost drone is never taken for a landed one.
Times are simulated seconds of any steady clock. What each fault ends in is
the table of `docs/failsafe.md`.
"""

from fleet.airborne import Airborne
from fleet.autopilots import Flying, Step
from fleet.docks import DockAction
from fleet.following import Follows
from fleet.launching import Launching
from fleet.machine import is_airborne, is_heard
from fleet.order import SortieOrder
from fleet.stages import Action, Memory, Sight, Stage, Wish
from fleet.vehicle import Contact


class SortieMachine(Launching, Airborne, Follows):
    """Takes one sortie through its stages; `stage`, `wait` and `failure` may be read at any time."""

    def __init__(self, order: SortieOrder, *, has_dock: bool, now: float, collect_s: float = 180.0) -> None:
        super().__init__(order, has_dock=has_dock, now=now, collect_s=collect_s)
        self._handlers = {
            Stage.PREFLIGHT: self._preflight,
            Stage.CHARGING: self._charging,
            Stage.DOOR: self._door,
            Stage.PROFILE: self._profile,
            Stage.UPLOAD: self._upload,
            Stage.ARMING: self._arming,
            Stage.STARTING: self._starting,
            Stage.FLYING: self._flying,
            Stage.RETURNING: self._returning,
            Stage.DIVERTING: self._diverting,
            Stage.LANDING: self._landing,
            Stage.CLOSING: self._closing,
            Stage.COLLECTING: self._collecting,
            Stage.ABORTING: self._aborting,
        }
        self._tell("preflight", f"{len(order.items)} items, {order.shots} pictures, by {order.drone}")

    def wish(self, wish: Wish, to: str = "") -> str | None:
        """Note what a person asks for; return why it cannot be done, None if it will be tried.

        `to` names the landing of a diversion.
        """
        if self.stage.is_over or self.landed:
            return "the sortie is over"
        if wish in (Wish.PAUSE, Wish.RESUME) and self.stage is not Stage.FLYING:
            return f"the sortie is at {self.stage}: only a flying one can {wish}"
        if wish is Wish.DIVERT:
            if self.order.landing(to) is None:
                known = ", ".join(a.id for a in self.order.ways) or "none"
                return f"{to!r} is no landing of sortie {self.order.id}: it has {known}"
            if not self.stage.may_be_airborne:
                return f"the sortie is at {self.stage}: only a drone in the air can {wish}"
        self._wishes.append((wish, to))
        return None

    def reattach(self, stage: Stage, sight: Sight, now: float, memory: Memory | None = None) -> None:
        """Take up a sortie where another process left it, from the journal and what is seen.

        What may be in the air goes on without upload and without start; what
        never left the ground ends. What was promised and not begun is begun now.
        """
        self._out.clear()
        self._remember(memory or Memory(), now)
        after = stage.may_be_airborne or stage in (Stage.ARMING, Stage.CLOSING, Stage.COLLECTING)
        self._is_ours = after or self._armed
        self._rose = after and stage not in (Stage.ARMING, Stage.STARTING)
        vehicle = sight.vehicle
        if vehicle is not None and vehicle.armed and after:
            self.verified = True
            self._enter(self._stage_in_the_air(stage, sight), now)
            looks = "the camera is told to look ahead again" if self.follows else "nothing sent"
            self._tell(self._told_as, f"re-attached in {sight.mode}, {looks}")
            if self.follows:
                self._look_ahead(now)
        elif stage.may_be_airborne or stage in (Stage.CLOSING, Stage.COLLECTING):
            # Not heard, or on the ground by now: either way the landing decides.
            self.verified = True
            self._enter(Stage.RETURNING, now)
        else:
            self._wishes.clear()
            self._abort("the gateway was restarted before take-off", now)

    def step(self, sight: Sight, now: float) -> list[Action]:
        """Return what to do, given what is seen."""
        if sight.vehicle is not None and sight.vehicle.armed is not None:
            self._armed = self._is_ours and sight.vehicle.armed
            self._rose = self._rose or is_airborne(sight.vehicle)
        self._take_wishes(sight, now)
        handler = self._handlers.get(self.stage)
        if handler is not None:
            handler(sight, now)
        self._pursue(sight, now)
        out, self._out = self._out, []
        return out

    # --- after the flight ---

    def _closing(self, sight: Sight, now: float) -> None:
        dock = sight.dock
        if dock is not None and dock.door == "closed":
            self._tell("door_closed", f"door of {dock.dock} closed after {now - self._entered_s:.0f} s")
            self._out.append(DockAction.CHARGE)
            self._enter(Stage.COLLECTING, now)
        elif self._is_over_time(now) or (dock is not None and dock.door == "stuck"):
            why = "it is stuck" if dock is not None and dock.door == "stuck" else sight.dock_refusal
            why = why if self._may_close(sight) else "the drone stands half outside"
            self._tell("landed", f"the door did not close ({why or 'no word from the dock'})")
            self._enter(Stage.COLLECTING, now)
        elif self._may_close(sight) and self._is_due(now):
            self._out.append(DockAction.CLOSE)

    def _collecting(self, sight: Sight, now: float) -> None:
        complete = sight.files >= sight.files_wanted
        if not complete and not self._is_over_time(now):
            return
        missing = "" if complete else f", {sight.files_wanted - sight.files} files missing"
        if self.failure is None and not self._rose and not sight.taken:
            self.failure = "nobody saw it leave the ground"
        told = f"{sight.taken} of {self.order.shots} pictures, {sight.files} files{missing}"
        if self.failure is not None:
            self._tell("failed", f"{self.failure}; {told}")
            self._enter(Stage.FAILED, now)
            return
        self._tell("done", told)
        self._enter(Stage.DONE, now)

    def _aborting(self, sight: Sight, now: float) -> None:
        vehicle = sight.vehicle
        if vehicle is not None and vehicle.armed and not self._is_ours:
            self._tell("failed", f"{self.failure}; somebody else armed it, so nothing is ordered")
            self._enter(Stage.FAILED, now)
            return
        if vehicle is not None and is_airborne(vehicle):
            self._recalled = self.failure
            self._enter(Stage.FLYING, now)
            return
        silent = vehicle is None or vehicle.contact(now) is Contact.LOST
        if self._armed and (silent or not self._is_over_time(now)):
            if is_heard(vehicle, now) and self._is_due(now):
                self._out.append(Step.DISARM)
            return  # silent and armed it may have flown off
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
        for wish, to in wishes:
            if self.stage.is_over or self.landed or self.stage is Stage.ABORTING:
                return
            self._take_wish(wish, to, sight, now)

    def _remember(self, memory: Memory, now: float) -> None:
        self._recalled, self._down, self.failure = memory.recalled, memory.down, memory.failure
        self.target = self.order.landing(memory.landing) if memory.landing else None
        self.paused, self._paused_s = memory.paused, now
        self.follows, self._armed = memory.follows, memory.armed
        self._wishes = list(memory.wishes)

    def _stage_in_the_air(self, stage: Stage, sight: Sight) -> Stage:
        if self._down is not None or sight.flying is Flying.LAND:
            return Stage.LANDING
        if self.target is not None:
            return Stage.DIVERTING
        return Stage.RETURNING if sight.flying is Flying.RETURN else Stage.FLYING
