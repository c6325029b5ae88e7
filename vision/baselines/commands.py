"""The commands `gridpatrol baseline`: what places looked like, kept, listed and confirmed."""

import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from missions.clock import SystemClock
from missions.errors import InputWrong
from missions.program import say, show_json
from missions.terrain import Terrain
from vision.baselines.mosaic import PIXEL_M, Mosaic, mosaic
from vision.baselines.store import CANDIDATE, STANDS, Store, Version
from vision.chart import Chart
from vision.errors import Unreadable
from vision.frame import Frame, load
from vision.georeference import Ground, Unplaced
from vision.grounds import mended
from vision.inspection import pictures

Folder = Annotated[Path, typer.Option("--store", help="The store: a folder of places and their versions.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

_STORE = Path("baselines")
_ADD_EXAMPLE = (
    "Example: gridpatrol baseline add flight-07/ --place east-wood --dem valley.tif --store baselines/"
)
_CONFIRM_EXAMPLE = "Example: gridpatrol baseline confirm east-wood v0002 --by 'Li Na' --store baselines/"


def register(app: typer.Typer) -> None:
    """Add the group `baseline` to the program."""
    group = typer.Typer(help="Keep what places looked like, for later flights to be compared with.")
    group.command("list", epilog="Example: gridpatrol baseline list --store baselines/")(list_versions)
    group.command("add", epilog=_ADD_EXAMPLE)(add)
    group.command("confirm", epilog=_CONFIRM_EXAMPLE)(confirm)
    app.add_typer(group, name="baseline")


def list_versions(
    place: Annotated[str | None, typer.Option(help="Only this place.")] = None,
    store: Folder = _STORE,
    as_json: Json = False,
) -> None:
    """List the versions kept, oldest first."""
    if not store.is_dir():
        raise InputWrong(f"--store: found no folder at {store}, `gridpatrol baseline add` makes one")
    found = list(Store(store).versions(place))
    for version in found:
        say(_line(version))
    if not found:
        say("no baseline is kept here" if place is None else f"no baseline of {place} is kept here")
    if as_json:
        show_json({"versions": [asdict(v) for v in found]})


def add(
    frames: Annotated[list[Path], typer.Argument(help="A flight's pictures, or folders of them.")],
    place: Annotated[str, typer.Option(help="The place's name: letters, digits, - and _.")],
    dem: Annotated[Path, typer.Option(help="Elevation GeoTIFF to lay the pictures on.")],
    store: Folder = _STORE,
    pixel_m: Annotated[
        float, typer.Option(min=0.02, max=50.0, help="A pixel's side on the ground, metres.")
    ] = PIXEL_M,
    flight: Annotated[str, typer.Option(help="Which flight took the pictures, to be kept with them.")] = "",
    keep: Annotated[
        int | None, typer.Option(min=1, help="Keep so many candidates and superseded versions of the place.")
    ] = None,
    gently: Annotated[bool, typer.Option("--gently", help="Let every other program go first.")] = False,
    as_json: Json = False,
) -> None:
    """Make a version of a place from a flight: the first stands at once, later ones wait for a person."""
    if gently:
        os.nice(19)
    ground = mended(Terrain.open(dem))
    hours: dict[int, list[Path]] = {}
    made = mosaic(_colour(frames, hours), ground, source=place, pixel_m=pixel_m)
    if isinstance(made, Unplaced):
        raise InputWrong(f"{', '.join(map(str, frames))}: no baseline can be made: {made.reason}")
    warm = _by_hour(hours, ground, place)
    version = Store(store).add(place, made, now=SystemClock().now(), thermal=warm, flight=flight)
    if keep is not None:
        for gone in Store(store).tidy(place, keep=keep):
            say(f"{gone.place} {gone.version}: taken away, it was {gone.standing}")
    say(_line(version))
    say(
        f"made from {made.frames} frames, {made.registered} of them laid onto their neighbours, "
        f"which moved them {made.moved_m:.1f} m in the middle"
    )
    if version.standing == CANDIDATE:
        say(f"it waits: gridpatrol baseline confirm {place} {version.version} --by NAME --store {store}")
    if as_json:
        show_json(asdict(version) | {"moved_m": round(made.moved_m, 2), "thermal_hours": sorted(warm)})


def confirm(
    place: Annotated[str, typer.Argument(help="The place.")],
    version: Annotated[str, typer.Argument(help="The version that is to stand from now on: v0002.")],
    by: Annotated[str, typer.Option(help="Who confirms it.")],
    store: Folder = _STORE,
    as_json: Json = False,
) -> None:
    """Let a version stand in place of the one before it, which is kept."""
    chosen = Store(store).confirm(place, version, by=by, now=SystemClock().now())
    say(_line(chosen))
    if as_json:
        show_json(asdict(chosen))


def _loaded(paths: Iterable[Path]) -> Iterable[Frame]:
    """Yield the frames that can be read; of the others it is said why not."""
    for path in pictures(paths):
        try:
            yield load(path)
        except Unreadable as reason:
            say(f"{path.name}: left out: {reason}")


def _colour(paths: Iterable[Path], hours: dict[int, list[Path]]) -> Iterable[Frame]:
    """Yield the colour frames one by one; where those of °C are is noted in `hours`, by the hour (UTC)."""
    for frame in _loaded(paths):
        if frame.celsius is None:
            yield frame
        elif frame.shot.taken_at is not None:
            hours.setdefault(frame.shot.taken_at.hour, []).append(Path(frame.shot.file))


def _by_hour(hours: dict[int, list[Path]], ground: Ground, place: str) -> dict[int, Chart]:
    """Return charts of °C by the hour of the day (UTC) at which their frames were taken."""
    made = {hour: mosaic(_loaded(paths), ground, source=place, pixel_m=1.0) for hour, paths in hours.items()}
    return {hour: one.chart for hour, one in made.items() if isinstance(one, Mosaic)}


def _line(version: Version) -> str:
    taken = f"taken {version.taken_at}" if version.taken_at else "when it was taken is not known"
    who = f", confirmed by {version.confirmed_by}" if version.confirmed_by else ""
    standing = "stands" if version.standing == STANDS else version.standing
    return f"{version.place} {version.version}: {standing}, {taken}, {version.frames} frames{who}"
