"""A ground station for tests: packs real bytes, talks to a vehicle machine and holds its time."""

from typing import Any

from missions.geo import LatLon
from missions.model import Camera, DroneModel, Sensor, Wind
from sim.autopilot import Identity, Vehicle
from sim.autopilot.dialect import Forwarded, Outgoing, mav
from sim.autopilot.personality import ARDUCOPTER, Personality
from sim.tangent import Tangent

PAD = LatLon(30.28, 119.42)
PAD_AMSL_M = 80.0
BOOT_S = 1000.0
TICK_S = 0.2
GCS = 255
READY_S = 43.0

THERMAL = Camera.from_optics(
    "GP-1 T", Sensor.THERMAL, width_px=640, height_px=512, focal_mm=9.1, sensor_width_mm=7.68
)
RGB = Camera.from_optics(
    "GP-1 W", Sensor.RGB, width_px=1280, height_px=960, focal_mm=4.5, sensor_width_mm=4.8
)
MODEL = DroneModel("GP-1", 12, 4, 3, 500, 520, 700, 480, 450, 0.25, 12, (THERMAL, RGB))

TAKEOFF, WAYPOINT, RETURN, SPEED, MOUNT, SHOOT = 22, 16, 20, 178, 205, 2000


def identity(**changes: Any) -> Identity:
    """Return a drone on the pad of all tests."""
    values: dict[str, Any] = {
        "drone_id": "D1",
        "system_id": 1,
        "model": MODEL,
        "pad": PAD,
        "pad_amsl_m": PAD_AMSL_M,
        "media": "http://127.0.0.1:9",
    }
    return Identity(**(values | changes))


def item(
    command: int, east_m: float = 0, north_m: float = 0, up_m: float = 0, **changes: Any
) -> dict[str, Any]:
    """Return an item's fields; a place is given in metres around the pad."""
    lat, lon = Tangent(PAD).to_place(east_m, north_m)
    located = command in (TAKEOFF, WAYPOINT, 21, 17, 19)
    values = {
        "frame": 3 if located else 2,
        "command": command,
        "params": (0.0, 0.0, 0.0, 0.0),
        "x": round(lat * 1e7) if located else 0,
        "y": round(lon * 1e7) if located else 0,
        "z": up_m,
    }
    return values | changes


HOME = item(WAYPOINT, frame=0)


def small_mission(*, shots: bool = True) -> list[dict[str, Any]]:
    """Return home, take-off, speed, mount, three waypoints with a picture each, and RTL."""
    items = [
        HOME,
        item(TAKEOFF, up_m=40),
        item(SPEED, params=(1, 10, -1, 0)),
        item(MOUNT, params=(-90, 0, 0, 0)),
    ]
    for n, east in enumerate((60, 120, 180), 1):
        items.append(item(WAYPOINT, east, 50, 60))
        if shots:
            items.append(item(SHOOT, params=(0, 0, 1, n)))
    return [*items, item(RETURN)]


class Station:
    """One ground station on link 0 of one vehicle; everything that came is kept in `heard`."""

    def __init__(
        self,
        *,
        wind: Wind | None = None,
        ready: bool = True,
        personality: Personality = ARDUCOPTER,
        **changes: Any,
    ) -> None:
        self.vehicle = Vehicle(identity(**changes), now_s=BOOT_S, wind=wind, personality=personality)
        self.heard: list[tuple[float, Outgoing | Forwarded]] = []
        self.beats = False
        self._beat_s = BOOT_S
        self._packer = mav.MAVLink(None, GCS, 190)
        if ready:
            self.wait(READY_S)

    @property
    def now_s(self) -> float:
        """Seconds since boot."""
        return self.vehicle.now_s - BOOT_S

    @property
    def pilot(self) -> Any:
        return self.vehicle.pilot

    def tell(self, message: Any, *, link: int = 0, sender: tuple[int, int] = (GCS, 190)) -> list[Any]:
        """Send a message through real bytes and return the messages answered at once."""
        packer = mav.MAVLink(None, *sender)
        (received,) = mav.MAVLink(None).parse_buffer(message.pack(packer))
        replies = self.vehicle.receive(received, link, self.vehicle.now_s)
        self.heard += [(self.now_s, r) for r in replies]
        return [r.message for r in replies if isinstance(r, Outgoing)]

    def command(self, number: int, *params: float, component: int = 1) -> int:
        """Send COMMAND_LONG and return the MAV_RESULT."""
        values = [*params, *[0.0] * (7 - len(params))]
        answers = self.tell(mav.MAVLink_command_long_message(1, component, number, 0, *values))
        (ack,) = [m for m in answers if m.get_type() == "COMMAND_ACK"]
        assert ack.command == number
        return int(ack.result)

    def heartbeat(self) -> None:
        """Send one heartbeat."""
        self.tell(mav.MAVLink_heartbeat_message(mav.MAV_TYPE_GCS, mav.MAV_AUTOPILOT_INVALID, 0, 0, 0, 3))

    def fall_silent(self) -> None:
        """Send one last heartbeat."""
        self.heartbeat()
        self.beats = False

    def wait(self, seconds: float) -> list[Any]:
        """Let time pass and return what came meanwhile."""
        first, end = len(self.heard), self.vehicle.now_s + seconds
        while self.vehicle.now_s < end - 1e-6:
            if self.beats and self.vehicle.now_s >= self._beat_s:
                self.heartbeat()
                self._beat_s = self.vehicle.now_s + 1.0
            replies = self.vehicle.tick(min(end, self.vehicle.now_s + TICK_S))
            self.heard += [(self.now_s, r) for r in replies]
        return [r.message for _, r in self.heard[first:] if isinstance(r, Outgoing)]

    def wait_for(self, condition: Any, *, limit_s: float = 900.0) -> float:
        """Let time pass until a condition holds and return how long it took."""
        began = self.now_s
        while not condition():
            assert self.now_s - began < limit_s, f"not within {limit_s} s; texts: {self.texts()[-5:]}"
            self.wait(TICK_S)
        return self.now_s - began

    def messages(self, kind: str) -> list[Any]:
        """Return every message of a kind that came so far."""
        return [r.message for _, r in self.heard if isinstance(r, Outgoing) and r.message.get_type() == kind]

    def texts(self) -> list[str]:
        """Return every STATUSTEXT so far."""
        return [_text(m.text) for m in self.messages("STATUSTEXT")]

    def mode(self, number: int) -> int:
        """Change the mode as MAV_CMD_DO_SET_MODE does."""
        return self.command(mav.MAV_CMD_DO_SET_MODE, 1, number)

    def arm(self) -> int:
        """Arm."""
        return self.command(mav.MAV_CMD_COMPONENT_ARM_DISARM, 1)

    def parameter(self, name: str, value: float) -> None:
        """Set a parameter."""
        self.tell(mav.MAVLink_param_set_message(1, 1, name.encode(), value, 9))

    def item_message(self, seq: int, item: dict[str, Any], kind: int = 0) -> Any:
        """Return MISSION_ITEM_INT."""
        return mav.MAVLink_mission_item_int_message(
            1,
            1,
            seq,
            item["frame"],
            item["command"],
            0,
            1,
            *item["params"],
            item["x"],
            item["y"],
            item["z"],
            kind,
        )

    def upload(self, items: list[dict[str, Any]], kind: int = 0) -> int:
        """Upload as a patient ground station does and return the MISSION_ACK's type."""
        answers = self.tell(mav.MAVLink_mission_count_message(1, 1, len(items), kind))
        while True:
            acks = [m for m in answers if m.get_type() == "MISSION_ACK"]
            if acks:
                return int(acks[0].type)
            (request,) = [m for m in answers if m.get_type() in ("MISSION_REQUEST", "MISSION_REQUEST_INT")]
            answers = self.tell(self.item_message(request.seq, items[request.seq], kind))

    def download(self, kind: int = 0) -> list[Any]:
        """Return the items read back, as MISSION_ITEM_INT."""
        (count,) = self.tell(mav.MAVLink_mission_request_list_message(1, 1, kind))
        found = []
        for seq in range(count.count):
            found += self.tell(mav.MAVLink_mission_request_int_message(1, 1, seq, kind))
        return found

    def fly(self, items: list[dict[str, Any]] | None = None) -> None:
        """Upload and start the small mission, or another, the safe way."""
        assert self.upload(items or small_mission()) == 0
        assert (self.mode(4), self.arm(), self.mode(3)) == (0, 0, 0)
        assert self.command(mav.MAV_CMD_MISSION_START) == 0

    @property
    def flying_s(self) -> bool:
        return bool(self.vehicle.drone.airborne)


def _text(text: Any) -> str:
    return (text.decode() if isinstance(text, bytes) else str(text)).rstrip("\0")
