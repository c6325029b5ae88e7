"""Real autopilots in place of simulated ones: ArduPilot's SITL, one process a drone.

Each has a folder of its own (its EEPROM, terrain and logs), its drone's pad for home,
the simulation's speed, and speaks to a `Relay` of ours alone, so nothing but the
loopback hears it. A drone that lives in a dock has no radio control, a camera the autopilot
triggers and a dock drone's battery; the rest is what calibration would have set.
"""

import asyncio
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from missions.clock import Clock
from missions.errors import InputWrong, WorkFailed
from missions.geo import LatLon
from missions.model import Drone, DroneModel, Site
from sim.battery import NOMINAL_V
from sim.faults import Change, Fault, FaultPlan, Moment, Timeline
from sim.relay import Relay
from sim.server import HOST

BOOT_LIMIT_S = 60.0  # wall time within which it must have said its first word
_TICK_S = 0.01
_LAST_LINES = 3
_END_S = 5.0


@dataclass(frozen=True, slots=True)
class SitlOptions:
    """What real autopilots are started with."""

    binary: Path
    folder: Path  # one folder a drone is made in it
    mavlink_port: int = 5860
    faults: FaultPlan = field(default_factory=FaultPlan)


def check_binary(binary: Path) -> None:
    """Return if there is a program to start.

    Raises:
        InputWrong: there is none.
    """
    if not binary.is_file() or not os.access(binary, os.X_OK):
        raise InputWrong(
            f"--sitl: {binary} is no program: name the arducopter binary of an ArduPilot SITL build"
        )


def check_faults(plan: FaultPlan) -> None:
    """Return if these faults can happen to an autopilot that is not ours.

    Raises:
        InputWrong: one reaches into the vehicle, or waits for a moment we do not see.
    """
    for fault in plan.faults:
        if fault.kind != "link" or fault.after is not Moment.START:
            raise InputWrong(
                f"--faults: found {fault.kind} after {fault.after}, expected link after start with --sitl"
            )


def settings(model: DroneModel) -> dict[str, float]:
    """Return the parameters a dock drone's SITL begins with."""
    ah = round(model.battery_wh / NOMINAL_V, 2)
    offsets = (5.0, 13.0, -18.0)
    return {
        "FRAME_CLASS": 1,
        "CAM1_TYPE": 1,
        "BATT_MONITOR": 4,
        "BATT_CAPACITY": round(ah * 1000),
        "SIM_BATT_CAP_AH": ah,
        "SIM_RC_FAIL": 1,
        "FS_THR_ENABLE": 0,
        **{f"INS_{sensor}OFFS_{axis}": 0.001 for sensor in ("ACC", "ACC2") for axis in "XYZ"},
        **{
            f"COMPASS_OFS{compass}_{axis}": offset
            for compass in ("", "2", "3")
            for axis, offset in zip("XYZ", offsets, strict=True)
        },
    }


def arguments(
    binary: Path, *, system_id: int, home: LatLon, amsl_m: float, speed: float, inner_port: int, rc_port: int
) -> list[str]:
    """Return the command line of one autopilot."""
    place = f"{home.lat_deg:.7f},{home.lon_deg:.7f},{amsl_m:.2f},0"
    return [
        *(str(binary), "--wipe", "--model", "quad", "--home", place, "--speedup", f"{speed:g}"),
        *("--sysid", str(system_id), "--defaults", "dock.parm", "--rc-in-port", str(rc_port)),
        *("--serial0", f"udpclient:{HOST}:{inner_port}", "--serial1", "none", "--serial2", "none"),
    ]


class SitlFleet:
    """The real autopilots of a site's drones while they run."""

    def __init__(
        self,
        site: Site,
        drones: Sequence[Drone],
        places: Sequence[LatLon],
        clock: Clock,
        options: SitlOptions,
    ) -> None:
        self._site = site
        self._drones = list(zip(drones, places, strict=True))
        self._clock = clock
        self._options = options
        self._relays: dict[str, Relay] = {}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._lasting: dict[str, list[Fault]] = {d.id: [] for d in drones}
        names = [d.id for d in drones]
        self._timeline = Timeline(options.faults.faults, drones=names, docks=())
        self._start_s = 0.0

    async def start(self) -> dict[str, Any]:
        """Start every autopilot, wait for its first word and return where everything is.

        Raises:
            InputWrong: a port is taken.
            WorkFailed: an autopilot ended, or says nothing.
        """
        for index, (drone, place) in enumerate(self._drones):
            port = self._options.mavlink_port + index if self._options.mavlink_port else 0
            relay = self._relays[drone.id] = Relay(port, self._now_s, self._options.faults.seed + index)
            await relay.start()
            self._processes[drone.id] = await self._launch(drone, place, relay)
        await asyncio.gather(*(self._first_word(name) for name in self._relays))
        self._start_s = self._now_s()
        return self.described()

    def described(self) -> dict[str, Any]:
        """Return where everything listens, as `--json` prints it; there are no pictures and no docks."""
        return {
            "drones": [
                {
                    "drone": drone.id,
                    "dock": drone.dock,
                    "system_id": drone.system_id,
                    "port": self._relays[drone.id].port,
                    "connect": f"tcp:{HOST}:{self._relays[drone.id].port}",
                }
                for drone, _ in self._drones
            ],
            "media": None,
            "docks": [],
            "clock": str(self._clock),
        }

    async def run(self) -> None:
        """Pass on what is said until cancelled.

        Raises:
            WorkFailed: an autopilot ended by itself.
        """
        try:
            while True:
                for change in self._timeline.due(self._now_s(), lambda _name, _moment: self._start_s):
                    self._strike(change)
                for name, relay in self._relays.items():
                    relay.tick()
                    if self._processes[name].returncode is not None:
                        raise self._ended(name)
                await asyncio.sleep(_TICK_S)  # late packets have no event of their own
        finally:
            await self.stop()

    async def stop(self) -> None:
        """End every autopilot and close every socket."""
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                async with asyncio.timeout(_END_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        for relay in self._relays.values():
            await relay.stop()

    async def _launch(self, drone: Drone, place: LatLon, relay: Relay) -> asyncio.subprocess.Process:
        folder = self._folder(drone.id)
        folder.mkdir(parents=True, exist_ok=True)
        wanted = settings(self._site.model(drone.model))
        (folder / "dock.parm").write_text(as_parameter_file(wanted))
        command = arguments(
            self._options.binary.resolve(),
            system_id=drone.system_id,
            home=place,
            amsl_m=self._site.dock(drone.dock).elevation_m,
            speed=self._clock.speed,
            inner_port=relay.inner_port,
            rc_port=_free_udp_port(),
        )
        with (folder / "sitl.log").open("wb") as log:
            return await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )

    async def _first_word(self, name: str) -> None:
        try:
            async with asyncio.timeout(BOOT_LIMIT_S):
                while not self._relays[name].heard:
                    if self._processes[name].returncode is not None:
                        raise self._ended(name)
                    await asyncio.sleep(_TICK_S)  # its first datagram or its end
        except TimeoutError:
            silent = f"the autopilot of {name} said nothing in {BOOT_LIMIT_S:g} s"
            raise WorkFailed(f"{silent}: {self._log(name)}") from None

    def _strike(self, change: Change) -> None:
        lasting = self._lasting[change.on]
        if change.begins:
            lasting.append(change.fault)
        else:
            lasting.remove(change.fault)
        self._relays[change.on].impair(lasting)

    def _ended(self, name: str) -> WorkFailed:
        code = self._processes[name].returncode
        return WorkFailed(f"the autopilot of {name} ended with {code}: {self._log(name)}")

    def _log(self, name: str) -> str:
        """Return the last lines an autopilot wrote, and where the rest is."""
        path = self._folder(name) / "sitl.log"
        lines = path.read_text(errors="replace").strip().splitlines()[-_LAST_LINES:]
        return f"{' / '.join(lines) or 'it wrote nothing'} ({path})"

    def _folder(self, name: str) -> Path:
        return self._options.folder / "sitl" / name

    def _now_s(self) -> float:
        return self._clock.now().timestamp()


def as_parameter_file(values: Mapping[str, float]) -> str:
    """Return parameters as ArduPilot's files have them: a name and a value a line."""
    return "".join(f"{name} {value:g}\n" for name, value in values.items())


_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """Let a child end when this process is killed: left alone it would burn a core for ever."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _free_udp_port() -> int:
    """Return a port for the radio control SITL insists on listening for."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
