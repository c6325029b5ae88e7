"""Commands of fleet: `fly` one sortie, `replay` what was recorded, `sign` a drone's link, `bench fleet`."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer

from fleet import bench
from fleet.checking import CheckResult, check
from fleet.fly import Flight, FlightResult, order_of, rest_in
from fleet.keying import give_key
from fleet.keyring import Keyring
from fleet.order import check_ground
from fleet.replay import replay
from fleet.signing import Key, Offer
from missions.clock import Clock, ScaledClock, SystemClock, clock_from
from missions.errors import WorkFailed
from missions.export import planfile
from missions.program import out_folder, say, show_json
from missions.terrain import Terrain

_FLY_EXAMPLE = """
Fly one sortie of a plan.

STR is tcp:HOST:PORT, udpin:HOST:PORT, udpout:HOST:PORT or /dev/DEVICE,BAUD, or the same
in MAVSDK's form (tcp://, udpin://, udpout://, serial://).

Example: gridpatrol fly out/plan.json --sortie S1 --connect tcp:127.0.0.1:5860 --speed 10
"""


def register(app: typer.Typer) -> None:
    """Add this package's commands to the program."""
    app.command("fly", help=_FLY_EXAMPLE)(_fly)
    app.command("replay")(_replay)
    app.command("sign")(_sign)
    bench.enrol()


def _fly(
    plan: Annotated[Path, typer.Argument(help="plan.json, as gridpatrol plan writes it.")],
    sortie: Annotated[str, typer.Option(help="Which sortie of the plan, as S1.")],
    connect: Annotated[str, typer.Option(help="Where the drone's MAVLink is.")],
    speed: Annotated[
        float | None,
        typer.Option(min=0.1, max=200, help="Simulated seconds in one second; as the simulator's."),
    ] = None,
    check_only: Annotated[
        bool, typer.Option("--check", help="Only look: change nothing, name what must be mended.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for pictures and the flight's record.")] = None,
    keys: Annotated[
        Path | None, typer.Option(help="File of signing keys, as gridpatrol sign writes it.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Folder of an earlier flight of this sortie: fly the pictures it left."),
    ] = None,
    terrain: Annotated[
        Path | None,
        typer.Option(help="Elevation model: refuses heights under the ground, and tells it to the drone."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    # Standard output is for the result: a picture that could not be fetched is told beside it.
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    order = order_of(planfile.read(plan), sortie)
    if resume is not None:
        order = rest_in(resume, order)
    heights = None if terrain is None else Terrain.open(terrain)
    if heights is not None:
        check_ground(order, heights.elevation_m)
    clock = _clock(speed)
    if check_only:
        looked = asyncio.run(check(order, connect, clock=clock, say=say))
        _show_check(looked, as_json=as_json)
        if not looked.ready:
            raise typer.Exit(1)
        return
    folder = out or Path("flights") / f"{order.id}-{clock.now():%Y%m%dT%H%M%S}"
    out_folder(folder)
    keyring = Keyring(keys) if keys is not None else None
    flight = Flight(order, connect, folder=folder, clock=clock, say=say, keyring=keyring, terrain=heights)
    result = asyncio.run(_fly_with_a_person(flight))
    if result is None:
        raise typer.Exit(1)
    _show_flight(result, folder, as_json=as_json)
    if result.state != "done":
        raise WorkFailed(f"sortie {sortie} failed: {result.reason}")


def _replay(
    file: Annotated[Path, typer.Argument(help="A .tlog, as fly, MAVProxy or QGroundControl write it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Tell what happened in a recorded flight.

    Example: gridpatrol replay flights/S1/flights/S1.tlog
    """
    told = replay(file)
    if as_json:
        show_json(told.to_json())
        return
    for line in told.lines():
        print(line)


def _sign(
    connect: Annotated[str, typer.Option(help="Where the drone's MAVLink is; a link nobody listens to.")],
    keys: Annotated[Path, typer.Option(help="File of signing keys; a gateway's is its signing.json.")],
    off: Annotated[bool, typer.Option("--off", help="Tell the drone to sign no more.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Give a drone a new MAVLink signing key, in place of the one it has.

    The old key, or none, stays in use until the drone has signed with the new one.

    Example: gridpatrol sign --connect /dev/ttyACM0,115200 --keys gridpatrol-data/gateways/g1/signing.json
    """
    keyed = asyncio.run(give_key(connect, Keyring(keys), None if off else Key.new()))
    if as_json:
        show_json({"link": keyed.link, "system": keyed.system, "state": str(keyed.state)})
    if keyed.state is not Offer.TAKEN:
        raise WorkFailed(f"drone {keyed.system} on {keyed.link} has not shown that it took the key")
    say(f"drone {keyed.system} on {keyed.link} " + ("signs no more" if off else "signs with its new key"))


def _clock(speed: float | None) -> Clock:
    """Return the clock of the environment, or one of the speed asked for."""
    given = clock_from(os.environ.get("GRIDPATROL_CLOCK"))
    if speed is None or speed == given.speed:
        return given
    return ScaledClock.starting_now(SystemClock().now(), speed)


async def _fly_with_a_person(flight: Flight) -> FlightResult | None:
    """Fly; Ctrl-C asks whether to recall the drone or to leave it flying. None: it was left flying."""
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(flight.run())
    person = _Person(flight, task)
    loop.add_signal_handler(signal.SIGINT, person.interrupts)
    loop.add_signal_handler(signal.SIGTERM, person.leaves)
    try:
        return await task
    except asyncio.CancelledError:
        return None
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)
        person.is_done()


class _Person:
    """Who sits at the terminal."""

    def __init__(self, flight: Flight, task: "asyncio.Task[FlightResult]") -> None:
        self._flight = flight
        self._task = task
        self._asked = False

    def interrupts(self) -> None:
        """Ask what Ctrl-C means; where nobody can answer it means recall, and a second one leave."""
        if not self._flight.may_be_airborne:
            reason = self._flight.recall()
            say("stopping before take-off" if reason is None else f"stopping: {reason}")
            if reason is not None:
                self._task.cancel()
        elif self._asked:
            self.leaves()
        elif sys.stdin.isatty():
            self._asked = True
            say("The drone is in the air. Recall it (r) or leave it flying its mission (l)? [r]")
            asyncio.get_running_loop().add_reader(sys.stdin, self._answers)
        else:
            self._asked = True
            self._recalls()

    def leaves(self) -> None:
        """End here; the drone finishes its verified mission and lands by itself."""
        if self._flight.may_be_airborne:
            folder = self._flight.folder
            say("left flying: it finishes its mission and comes home")
            say(f"the same command with --out {folder} takes it up again")
        self._task.cancel()

    def is_done(self) -> None:
        """Stop listening to the terminal."""
        if self._asked:
            with contextlib.suppress(ValueError, OSError):
                asyncio.get_running_loop().remove_reader(sys.stdin)

    def _answers(self) -> None:
        answer = sys.stdin.readline().strip().lower()
        if answer.startswith("l"):
            self.leaves()
        else:
            self._recalls()

    def _recalls(self) -> None:
        reason = self._flight.recall()
        say("recalling the drone" if reason is None else f"not recalled: {reason}")


def _show_check(looked: CheckResult, *, as_json: bool) -> None:
    if as_json:
        show_json(looked.to_json())
        return
    for finding in looked.findings:
        usual = "" if finding.usually_s is None else f" (usually passes within {finding.usually_s:.0f} s)"
        print(f"✗ {finding.what}: {finding.fix}{usual}")
    for text in looked.by_hand:
        print(f"✗ {text}")
    for text in looked.changes:
        print(f"· a flight would set {text}")
    if looked.unknown:
        print(f"· the drone has no {', '.join(looked.unknown)}")
    print("ready to fly" if looked.ready else "not ready to fly")


def _show_flight(result: FlightResult, folder: Path, *, as_json: bool) -> None:
    if as_json:
        show_json(result.to_json())
        return
    shots = result.shots
    away = "" if result.landed_from_dock_m is None else f" {result.landed_from_dock_m:.1f} m from the dock"
    left = "" if result.reserve is None else f", {result.reserve:.0%} battery left"
    print(
        f"sortie {result.sortie}: {result.state}; {'landed' if result.landed else 'not landed'}{away}{left}"
    )
    print(
        f"pictures: {shots['taken']} of {shots['planned']} taken, {shots['files']} files in {folder}/pictures"
    )
    print(f"record: {result.tlog}")
