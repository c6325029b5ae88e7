"""Commands of sim: `gridpatrol sim`."""

import asyncio
import os
import signal
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from missions.clock import Clock, ScaledClock, SystemClock, clock_from
from missions.errors import InputWrong
from missions.measure import suite
from missions.program import out_folder, say, show_json

EXAMPLE = """Example: gridpatrol sim --drones 1 --speed 5

Then, in another terminal: gridpatrol fly PLAN.json --sortie S1 --connect tcp:127.0.0.1:5860 --speed 5"""


def register(app: typer.Typer) -> None:
    """Add this package's commands to the program."""
    app.command("sim", epilog=EXAMPLE)(simulate)
    suite("sim").add("vehicles", "sim.bench:rows", "how many vehicles one process flies in real time")


def simulate(
    site: Annotated[Path | None, typer.Option(help="The site file; without it, the valley.")] = None,
    drones: Annotated[
        int | None,
        typer.Option(min=1, max=2000, help="How many drones; those the site lacks stand beside."),
    ] = None,
    autopilot: Annotated[str, typer.Option(help="What flies them: arducopter or px4.")] = "arducopter",
    mavlink_port: Annotated[
        int, typer.Option(min=0, max=65000, help="The first drone's port, TCP and UDP; 0 takes free ones.")
    ] = 5860,
    media_port: Annotated[int, typer.Option(min=0, max=65535, help="Where pictures are served.")] = 0,
    speed: Annotated[float | None, typer.Option(help="Simulated seconds a second.")] = None,
    clock: Annotated[
        str | None, typer.Option(help="The clock to keep, in place of --speed (also GRIDPATROL_CLOCK).")
    ] = None,
    scenario: Annotated[str, typer.Option(help="What is going on in the world.")] = "fire",
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same world and noise.")] = 1,
    mqtt: Annotated[
        str | None,
        # By the environment a password stays out of the list of processes.
        typer.Option(envvar="GRIDPATROL_SIM_MQTT", help="mqtt://user:password@host:port for the docks."),
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="Where to write what is really there.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to keep pictures and truth.json.")] = None,
    faults: Annotated[
        Path | None, typer.Option(help="What goes wrong and when, YAML or JSON (docs/faults.md).")
    ] = None,
    sitl: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Start this ArduCopter SITL binary for each drone instead."),
    ] = None,
    gallery: Annotated[
        str | None,
        typer.Option(help="Fly nothing: write pictures with their truth into --out (flood or logging)."),
    ] = None,
    seeds: Annotated[str, typer.Option(help="For --gallery: which seeds, as 1-100 or 7.")] = "1-10",
    json: Annotated[bool, typer.Option("--json", help="Print where everything listens as JSON.")] = False,
) -> None:
    """Simulate drones, docks and the world they look at, until stopped."""
    if gallery is not None:
        _gallery(gallery, site, seeds, out, as_json=json)
        return
    keep = _clock(clock or os.environ.get("GRIDPATROL_CLOCK"), speed)
    with ExitStack() as stack:
        folder = out or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gridpatrol-sim-")))
        out_folder(folder)
        if truth is None and out is not None:
            truth = out / "truth.json"
        _check(mqtt, truth, autopilot)
        if sitl is not None:
            fleet = _sitl(
                sitl, site, drones, keep, folder, mavlink_port, faults, mqtt=mqtt, autopilot=autopilot
            )
            asyncio.run(_run(fleet, as_json=json))
            return
        world = _world(site, seed, scenario, keep)
        from sim.faults import FaultPlan, load_faults
        from sim.orthophoto import write_before
        from sim.simulation import Options, Simulation, crew

        write_before(world, folder / "before.tif")
        plan = FaultPlan()
        if faults is not None:
            names = [d.id for d in crew(world.site, drones)]
            plan = load_faults(faults, drones=names, docks=[d.id for d in world.site.docks])
        options = Options(mavlink_port, media_port, drones, mqtt, truth, seed, plan, autopilot)
        simulation = Simulation(world, keep, folder / "pictures", options)
        asyncio.run(_run(simulation, as_json=json))


def _gallery(kind: str, site_path: Path | None, seeds: str, out: Path | None, *, as_json: bool) -> None:
    """Write a gallery.

    Raises:
        InputWrong: no folder is named, or the seeds are none.
    """
    from missions.site import load_site
    from missions.terrain import Terrain
    from sim.gallery import write

    if out is None:
        raise InputWrong("--gallery: name the folder for the pictures with --out")
    out_folder(out)
    first, _, last = seeds.partition("-")
    is_span = first.isdecimal() and (last or first).isdecimal()
    chosen = range(int(first), int(last or first) + 1) if is_span else ()
    if not chosen:
        raise InputWrong(f"--seeds: found {seeds!r}, expected a number or two as in 1-100")
    site = load_site(site_path or _valley())
    pictures = 0
    for seed, many in write(kind, site, Terrain.open(site.terrain), chosen, out):
        pictures += many
        say(f"seed {seed}: {many} pictures")
    if as_json:
        show_json({"folder": str(out), "pictures": pictures, "truth": str(out / "truth.json")})


def _sitl(
    binary: Path,
    site_path: Path | None,
    drones: int | None,
    clock: Clock,
    folder: Path,
    mavlink_port: int,
    faults: Path | None,
    *,
    mqtt: str | None,
    autopilot: str,
) -> Any:
    """Return real autopilots ready to start.

    Raises:
        InputWrong: there is no such program, or an option means nothing to it.
    """
    from missions.site import load_site
    from sim.faults import FaultPlan, load_faults
    from sim.simulation import crew, pads
    from sim.sitl import SitlFleet, SitlOptions, check_binary, check_faults

    check_binary(binary)
    if mqtt is not None or autopilot != "arducopter":
        raise InputWrong("--sitl flies ArduCopter without docks: leave out --mqtt and --autopilot")
    site = load_site(site_path or _valley())
    flying = crew(site, drones)
    plan = load_faults(faults, drones=[d.id for d in flying], docks=[]) if faults else FaultPlan()
    check_faults(plan)
    options = SitlOptions(binary, folder, mavlink_port, plan)
    return SitlFleet(site, flying, pads(site, flying), clock, options)


def _check(mqtt: str | None, truth: Path | None, autopilot: str) -> None:
    """Refuse before anything runs what would only be met later.

    Raises:
        InputWrong: it is no address, or nothing can be written there.
    """
    from sim.autopilot.personality import PERSONALITIES
    from sim.dock import mqtt_options

    if autopilot not in PERSONALITIES:
        raise InputWrong(f"--autopilot: found {autopilot!r}, expected {' or '.join(PERSONALITIES)}")
    if mqtt:
        mqtt_options(mqtt)
    if truth is not None:
        out_folder(truth.parent, option="--truth")
        if truth.is_dir():
            raise InputWrong(f"--truth: {truth} is a folder, expected a file to write")


async def _run(simulation: Any, *, as_json: bool) -> None:
    """Run until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        described = await simulation.start()
    except BaseException:
        await simulation.stop()
        raise
    _show(described, as_json=as_json)
    running = asyncio.create_task(simulation.run())
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def _show(described: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(described)
        return
    for drone in described["drones"]:
        say(f"{drone['drone']}  system {drone['system_id']}  {drone['connect']}  in {drone['dock']}")
    if described["media"]:
        say(f"pictures  {described['media']}")
    say(f"clock     {described['clock']}")
    say("Ctrl-C stops the simulation")


def _world(site_path: Path | None, seed: int, scenario: str, clock: Clock) -> Any:
    """Build the world. Imported late, so that `gridpatrol --help` does not wait for it."""
    from missions.site import load_site
    from missions.terrain import Terrain
    from sim.world import World

    site = load_site(site_path or _valley())
    begins_at = clock.epoch_at if isinstance(clock, ScaledClock) else clock.now()
    return World.build(site, Terrain.open(site.terrain), seed=seed, scenario=scenario, epoch_at=begins_at)


def _clock(text: str | None, speed: float | None) -> Clock:
    if text:
        return clock_from(text)
    if speed is None or speed == 1:
        return SystemClock()
    if not 0 < speed <= 1000:
        raise InputWrong(f"--speed: found {speed:g}, expected more than 0 and at most 1000")
    return ScaledClock.starting_now(SystemClock().now(), speed)


def _valley() -> Path:
    """Return the example site: beside the source in a checkout, else below the working folder."""
    for root in (Path(__file__).parents[1], Path.cwd()):
        found = root / "examples" / "valley" / "site.yaml"
        if found.exists():
            return found
    raise InputWrong("the example site examples/valley/site.yaml is not here: name one with --site FILE")
