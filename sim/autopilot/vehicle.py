"""One vehicle as its links see it: bytes-free, socket-free, told the time.

`receive` takes a message and the simulated time and `tick` the time alone; what
is to be sent is collected and handed out by `outbox`. All state machines of
this package meet here, and only here.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from missions.geo import LatLon
from missions.model import DroneModel, Wind
from sim.autopilot import hearing, telemetry
from sim.autopilot.camera import Cameras, Exposure
from sim.autopilot.dialect import AUTOPILOT, Forwarded, Message, Outgoing, Signing, Text, mav, tamed
from sim.autopilot.estimate import Estimate
from sim.autopilot.files import arducopter_files
from sim.autopilot.ftp import FtpServer
from sim.autopilot.items import Item
from sim.autopilot.payload import Payload
from sim.autopilot.personality import ARDUCOPTER, Personality
from sim.autopilot.pilot import Body
from sim.autopilot.streams import Streams
from sim.autopilot.terrain import TerrainMap
from sim.autopilot.transfer import Transfers
from sim.drone import Multirotor, Point, level
from sim.noise import Gusts
from sim.swarm import Step
from sim.troubles import Troubles

STEP_S = 0.1
_HEARTBEAT_S = 1.0
_TIMESYNC_S = 10.0
_COMPLAIN_S = 30.0

_REACHED_AGAIN_S = 1.0

Reply = Outgoing | Forwarded


@dataclass(frozen=True, slots=True)
class Identity:
    """Which drone this is, where its pad lies and where its pictures are fetched."""

    drone_id: str
    system_id: int
    model: DroneModel
    pad: LatLon
    pad_amsl_m: float
    media: str = "http://127.0.0.1:0"
    seed: int = 0
    folder: str = ""  # of its pictures; by itself the system id

    @property
    def pictures(self) -> str:
        """The folder of its pictures' addresses."""
        return self.folder or str(self.system_id)


class Vehicle:
    """The MAVLink side of one drone: an autopilot of some personality with two cameras."""

    def __init__(
        self,
        identity: Identity,
        *,
        now_s: float,
        wind: Wind | None = None,
        ground_m: Callable[[float, float], float] = level,
        speed: float = 1.0,
        personality: Personality = ARDUCOPTER,
    ) -> None:
        self.identity = identity
        self.personality = personality
        self.system_id = identity.system_id
        self.now_s = now_s
        self.drone = Multirotor(identity.model, ground_m)
        self.params = personality.parameters(identity.model, identity.system_id, speed)
        self.estimate = Estimate(
            self.drone, identity.pad, identity.pad_amsl_m, seed=identity.seed, now_s=now_s
        )
        self.streams = Streams()
        self.transfers = personality.transfers(self.estimate.home_item, self._mission_runs)
        self.body = Body(
            self.drone,
            self.params,
            self.transfers.lists,
            self.estimate.tangent,
            identity.pad_amsl_m,
            ground_m,
            TerrainMap(),
        )
        cameras = Cameras(identity.pictures, identity.model.cameras, identity.media, now_s)
        self.payload = Payload(self.drone, self.estimate, cameras, feedback=personality.feedback)
        lists = self.transfers
        files = arducopter_files(lists, self.params) if isinstance(lists, Transfers) else {}
        self.files = FtpServer(files)
        self.signing: Signing | None = None  # the key to sign with, once one was set
        self.air = (0.0, 0.0)
        self.reboot_wanted = False
        self.moments: dict[str, float] = {}  # when it first armed, took off, turned home, landed
        self._dark_until_s = 0.0  # no link while it boots afresh
        self.reached_again = 0
        self._reached_s = now_s
        self._outbox: list[Reply] = []
        self._gusts = Gusts(*_air(wind or Wind()), seed=identity.seed + 1)
        self._beat_s = self._complained_s = now_s
        self._sync_s = now_s
        self._boot()

    # --- the machine ---

    def receive(self, message: Message, link: int, now_s: float) -> list[Reply]:
        """Take one message from a link and return what is to be sent."""
        if self.is_dark:
            return []
        kind = message.get_type()
        if kind == "HEARTBEAT":
            self._hear(message, link, now_s)
            return self._emptied()
        if getattr(message, "target_system", 0) not in (0, self.system_id):
            return []
        tamed(message)
        component = getattr(message, "target_component", 0)
        if component in self.payload.cameras.components:
            if kind in ("COMMAND_LONG", "COMMAND_INT"):
                hearing.command_camera(self, message, link, component)
        elif kind in hearing.RECEIVERS:
            hearing.RECEIVERS[kind](self, message, link)
        elif kind == "FILE_TRANSFER_PROTOCOL":
            self._outbox += self.files.receive(message, link, now_s)
            hearing.lists_changed(self)
        elif kind.startswith("MISSION_"):
            self.post(self.transfers.receive(message, link, now_s))
            hearing.lists_changed(self)
        elif kind.startswith("PARAM_"):
            self._outbox += self.params.receive(message, link)
        return self._emptied()

    def tick(self, now_s: float) -> list[Reply]:
        """Fly on to `now_s` and return what is to be sent."""
        while (step := self.next_step(now_s)) is not None:
            self.drone.step(step.dt_s, step.goal, step.wind)
            self.stepped()
        self.post(self.transfers.tick(now_s))
        self._outbox += self.params.tick()
        self._outbox += self.files.tick(now_s)
        if self.is_dark:
            return []
        self._regular()
        if self.reboot_wanted:
            self._boot()
        return self._emptied()

    def next_step(self, now_s: float) -> Step | None:
        """Return the next step on the way to `now_s`, or None when it is there.

        Whoever takes the step says `stepped` after it: `tick` for this vehicle
        alone, a simulation of many for all of them together.
        """
        if now_s <= self.now_s:
            return None
        quiet = self.pilot.landed and not self.pilot.armed
        until_s = now_s if quiet else min(now_s, self.now_s + STEP_S)
        dt_s, self.now_s = until_s - self.now_s, until_s
        east, north = self._gusts.advance(dt_s)
        gust = self.drone.troubles.gust
        self.air = (east + gust[0], north + gust[1])
        return Step(self.drone, dt_s, self.pilot.decide(until_s), self.air)

    def stepped(self) -> None:
        """Notice what came of the step just taken."""
        self.pilot.follow_up()
        self._note_moments()
        self.estimate.advance(self.now_s, self.pilot.home)
        home = self.pilot.home
        self.payload.advance(self.now_s, home.up_m if home else 0.0)
        self._outbox += self.payload.said()

    def send(self, message: Message | None, link: int | None = None) -> None:
        """Put a message of the autopilot into the outbox."""
        if message is not None:
            self._outbox.append(Outgoing(message, link))

    def taken(self) -> list[Exposure]:
        """Return the exposures made since the last time."""
        return self.payload.taken()

    def opened(self, link: int) -> None:
        """Begin to send on a new link what this autopilot sends unasked."""
        for message_id, hz in self.personality.rates_hz.items():
            if self.streams.interval_s(link, message_id) is None:
                self.streams.set_interval(link, message_id, interval_s=1.0 / hz, now_s=self.now_s)

    def closed(self, link: int) -> None:
        """Forget what was under way on a link that is gone; its rates stay, as a serial port's do."""
        self.params.forget(link)
        self.files.forget(link)

    # --- what goes wrong ---

    def suffer(self, troubles: Troubles) -> None:
        """Take on what is wrong now, in place of what was."""
        self.drone.suffer(troubles)

    def crash_and_boot(self, dark_s: float) -> None:
        """Start the autopilot afresh, on the ground or in the air, silent for so long.

        The motors keep turning, as after a watchdog's reset; what was under way
        is forgotten, and a drone that finds itself flying lands.
        """
        flying, home = self.drone.airborne, self.pilot.home
        self._boot()
        self._outbox.clear()
        self._dark_until_s = self.now_s + dark_s
        if flying:
            self.pilot.wake_in_flight(home)

    @property
    def is_dark(self) -> bool:
        """Whether it neither hears nor says anything."""
        return self.now_s < self._dark_until_s

    @property
    def clock_s(self) -> float:
        """The time by the drone's own clock."""
        return self.now_s + self.drone.troubles.clock_s

    # --- what telemetry and commands read ---

    @property
    def boot_ms(self) -> int:
        return round((self.now_s - self.pilot.boot_s) * 1000)

    @property
    def prearm_problem(self) -> str | None:
        return None if self.pilot.armed else self.pilot.problem()

    @property
    def charge_state(self) -> int:
        watch = self.pilot.battery
        if watch.critical:
            return int(mav.MAV_BATTERY_CHARGE_STATE_CRITICAL)
        return int(mav.MAV_BATTERY_CHARGE_STATE_LOW if watch.low else mav.MAV_BATTERY_CHARGE_STATE_OK)

    @property
    def landed_state(self) -> int:
        if self.pilot.landed:
            return int(mav.MAV_LANDED_STATE_ON_GROUND)
        if self.pilot.mode.is_landing:
            return int(mav.MAV_LANDED_STATE_LANDING)
        return int(mav.MAV_LANDED_STATE_IN_AIR)

    @property
    def target(self) -> Point | None:
        """The point now flown to, if any."""
        run = self.pilot.run
        item = run.item
        if not self.pilot.mode.runs_mission or not run.running or item is None:
            return None
        return self.pilot.locate(item) if item.has_place else None

    def build(self, message_id: int) -> Message | None:
        """Return a message it can tell of itself, or None."""
        builder = self.personality.builders.get(message_id)
        return None if builder is None else builder(self)

    def say(self, severity: int, text: str) -> None:
        """Tell every ground station a text."""
        self.send(Text(severity, text).message())

    # --- what commands and mission items do ---

    def do(self, item: Item) -> bool:
        """Carry out a DO item; return whether it could be done."""
        p1, p2, p3, relative = item.params
        match item.command:
            case mav.MAV_CMD_DO_CHANGE_SPEED:
                return self.change_speed(int(p1), p2)
            case mav.MAV_CMD_CONDITION_YAW:
                turned = self.drone.heading_deg + p1 * (p3 or 1.0) if relative == 1 else p1
                self.drone.face_deg = turned % 360.0
            case mav.MAV_CMD_DO_SET_HOME if p1 == 1:
                self.pilot.home = self.drone.believed
            case _:
                done = self.payload.do(item)
                self._outbox += self.payload.said()
                return done
        return True

    def change_speed(self, kind: int, speed_m_s: float) -> bool:
        """Set the horizontal (0, 1), climb (2) or descent (3) speed until the mode changes."""
        if not speed_m_s > 0:
            return False
        if kind in (0, 1):
            self.pilot.speed_m_s = speed_m_s
        elif kind == 2:
            self.drone.climb_m_s = speed_m_s
        elif kind == 3:
            self.drone.descent_m_s = speed_m_s
        return kind in (0, 1, 2, 3)

    def say_problem(self) -> None:
        """Tell what keeps the drone from arming, if anything does."""
        problem = self.prearm_problem
        if problem is not None:
            self.say(mav.MAV_SEVERITY_CRITICAL, f"PreArm: {problem}")

    # --- inside ---

    def _boot(self) -> None:
        self.reboot_wanted = False
        self.streams.reset()
        self.payload.on = "CAM1_TYPE" not in self.params or self.params["CAM1_TYPE"] != 0
        self.payload.now_s = self.now_s
        self.pilot = self.personality.pilot(self.body, self.say, self.do, self.now_s)

    def _note_moments(self) -> None:
        """Take note of the first time of what faults may count from."""
        if self.pilot.armed:
            if "returning" in self.moments:
                return
            self.moments.setdefault("armed", self.now_s)
            if self.drone.airborne:
                self.moments.setdefault("takeoff", self.now_s)
                if self.pilot.is_returning:
                    self.moments.setdefault("returning", self.now_s)
        elif "takeoff" in self.moments and "landed" not in self.moments:
            self.moments.setdefault("landed", self.now_s)

    def _regular(self) -> None:
        self._tell_reached()
        if self.now_s >= self._beat_s:
            self._beat_s = max(self._beat_s + _HEARTBEAT_S, self.now_s)
            self.send(telemetry.heartbeat(self))
            self._outbox += self.payload.cameras.heartbeats()
        if self.now_s - self._sync_s >= _TIMESYNC_S:
            self._sync_s = self.now_s
            self.send(telemetry.timesync(self))
        if self.now_s - self._complained_s >= _COMPLAIN_S:
            self._complained_s = self.now_s
            self.say_problem()
        built: dict[int, Message | None] = {}
        for link, message_id in self.streams.due(self.now_s):
            if message_id not in built:
                built[message_id] = self.build(message_id)
            self.send(built[message_id], link)
            if message_id == mav.MAVLINK_MSG_ID_TERRAIN_REQUEST:
                hearing.ask_for_terrain(self, link)

    def _tell_reached(self) -> None:
        run = self.pilot.run
        if run.reached is not None:
            self._reached, run.reached = run.reached, None
            self.reached_again, self._reached_s = self.personality.repeats_reached, self.now_s
            self.send(mav.MAVLink_mission_item_reached_message(self._reached))
        elif self.reached_again and self.now_s - self._reached_s >= _REACHED_AGAIN_S:
            self.reached_again -= 1
            self._reached_s = self.now_s
            self.send(mav.MAVLink_mission_item_reached_message(self._reached))

    _reached = 0

    def _hear(self, message: Message, link: int, now_s: float) -> None:
        if message.type == mav.MAV_TYPE_GCS or message.autopilot == mav.MAV_AUTOPILOT_INVALID:
            self._outbox.append(Forwarded(bytes(message.get_msgbuf()), link))
        if self.pilot.ground.heartbeat(message.get_srcSystem(), now_s):
            self.say(mav.MAV_SEVERITY_WARNING, self.pilot.ground.regained)

    def _mission_runs(self) -> bool:
        return self.pilot.mode.runs_mission and self.pilot.armed and self.pilot.run.running

    def ack(self, message: Message, command: int, result: int, link: int, component: int = AUTOPILOT) -> None:
        """Answer a command."""
        sender = (message.get_srcSystem(), message.get_srcComponent())
        ack = mav.MAVLink_command_ack_message(command, result, 0, 0, *sender)
        self._outbox.append(Outgoing(ack, link, component))

    def post(self, answers: Iterable[Outgoing | Text]) -> None:
        """Put answers into the outbox."""
        self._outbox += [a if isinstance(a, Outgoing) else Outgoing(a.message()) for a in answers]

    def _emptied(self) -> list[Reply]:
        sent, self._outbox = self._outbox, []
        return sent


def _air(wind: Wind) -> tuple[float, float]:
    """Return the velocity of the air (east, north) of a wind given by where it blows from."""
    towards = math.radians(wind.from_deg + 180.0)
    return wind.speed_m_s * math.sin(towards), wind.speed_m_s * math.cos(towards)
