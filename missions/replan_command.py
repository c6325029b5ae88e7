"""`gridpatrol replan`: a plan put right after bad news, and what changed and why."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from missions.air import NoFly
from missions.errors import InputWrong
from missions.export import planfile
from missions.geo import BadPlace, LatLon
from missions.model import Demand, Hazard, Sensor, Site
from missions.program import out_folder, say, show_json
from missions.replan import Fate, News, Replanned

HELP = """Put a plan right when something has happened: the smallest change, what changed and why.

Example: gridpatrol replan SITE.yaml OUT/plan.json --dock-down dock-east --in-the-air S1 --out AGAIN
"""

URGENT_HEIGHT_M = 120.0
URGENT_PRIORITY = 9
HOUR_S = 3600.0


def replan_command(
    site_file: Annotated[Path, typer.Argument(metavar="SITE.yaml", help="The site file.")],
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.json", help="The plan as it was.")],
    dock_down: Annotated[list[str] | None, typer.Option(help="A dock that is down; may be repeated.")] = None,
    drone_late: Annotated[list[str] | None, typer.Option(help="A drone that cannot start.")] = None,
    no_fly: Annotated[
        Path | None, typer.Option(help="GeoJSON of polygons newly shut; floor_m and ceiling_m are read.")
    ] = None,
    urgent: Annotated[list[str] | None, typer.Option(help="LAT,LON to look at before all else.")] = None,
    in_the_air: Annotated[
        list[str] | None, typer.Option(help="A sortie that flies; it is not touched.")
    ] = None,
    at: Annotated[str, typer.Option(help="The time of day it is, as 14:30.")] = "00:00",
    seed: Annotated[int, typer.Option(min=0, help="Where the search starts from.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder for plan.json, the files and plan.png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    # Planning brings SciPy and the solver along, which the other commands need not wait for.
    from missions.commands import show, to_json, write
    from missions.replan import replan
    from missions.site import load_site
    from missions.terrain import Terrain

    site, old = load_site(site_file), planfile.read(plan_file).plan
    folder = out_folder(out) if out else None
    news = News(
        docks_down=_known("--dock-down", dock_down, [d.id for d in site.docks]),
        drones_late=_known("--drone-late", drone_late, [d.id for d in site.drones]),
        zones=tuple(_zones(no_fly)) if no_fly else (),
        urgent=tuple(_look(k, value, site) for k, value in enumerate(urgent or (), start=1)),
        in_the_air=_known("--in-the-air", in_the_air, [s.id for s in old.sorties]),
        at_s=_time(at),
    )
    terrain = Terrain.open(site.terrain)
    made = replan(site, old, news, terrain=terrain, seed=seed)
    if folder is not None:
        write(made.plan, made.site, terrain, folder)
    tell = say if as_json else print
    show(made.plan, made.site, tell)
    for change in made.changes:
        is_plain = change.fate in (Fate.IN_THE_AIR, Fate.KEPT)
        tell(f"{change.sortie}: {change.why}" if is_plain else f"{change.sortie} {change.fate}: {change.why}")
    if as_json:
        show_json({**to_json(made.plan), "changes": _changes(made)})


def _changes(made: Replanned) -> list[dict[str, Any]]:
    return [{"sortie": c.sortie, "fate": c.fate.value, "why": c.why} for c in made.changes]


def _known(option: str, given: list[str] | None, known: list[str]) -> frozenset[str]:
    for each in given or ():
        if each not in known:
            raise InputWrong(f"{option}: found {each!r}, expected one of {', '.join(known) or 'none'}")
    return frozenset(given or ())


def _zones(path: Path) -> Iterator[NoFly]:
    """Yield the polygons of a GeoJSON file as zones shut from now on.

    Raises:
        InputWrong: the file holds something else.
    """
    from missions.geo import Area
    from missions.shapes import Shapes

    shapes = Shapes.open(path)
    rows = json.loads(path.read_text("utf-8"))["features"]
    heights = {str((row.get("properties") or {}).get("id", row.get("id"))): row for row in rows}
    for name in shapes:
        shape = shapes.get(name)
        if not isinstance(shape, Area):
            raise InputWrong(f"{path}: found a line {name!r}, expected polygons")
        told = heights[name].get("properties") or {}
        yield NoFly(name, shape, _number(told.get("floor_m")), _number(told.get("ceiling_m")))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _look(number: int, text: str, site: Site) -> Demand:
    """Return an urgent look at a place, straight down with every camera that some drone has."""
    try:
        lat, lon = (float(part) for part in text.split(","))
        place = LatLon(lat, lon)
    except (ValueError, BadPlace):
        raise InputWrong(f"--urgent: found {text!r}, expected LAT,LON as 30.28,119.42") from None
    sensors = {camera.sensor for model in site.models for camera in model.cameras}
    return Demand(
        id=f"urgent-{number}",
        agency=site.agencies[0].id,
        hazards=frozenset({Hazard.FIRE}),
        where=place,
        sensors=frozenset(sensors) or frozenset({Sensor.RGB}),
        height_m=min((d.height_m for d in site.demands), default=URGENT_HEIGHT_M),
        revisit_s=HOUR_S,
        priority=URGENT_PRIORITY,
        must=True,
    )


def _time(text: str) -> float:
    hours, _, minutes = text.partition(":")
    if hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60:
        return int(hours) * HOUR_S + int(minutes) * 60.0
    raise InputWrong(f"--at: found {text!r}, expected a time of day as 14:30")
