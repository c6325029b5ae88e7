"""The command new-site."""

import os
from pathlib import Path
from typing import Annotated

import typer

from missions.program import say, show_json

HELP = """Make a site that plans from towers and a terrain.

Example: gridpatrol new-site --from towers.kml --dem dem.tif --out SITE.yaml
"""


def new_site_command(
    source: Annotated[Path, typer.Option("--from", help="Towers, lines or areas: .kml .geojson .shp .csv.")],
    dem: Annotated[Path, typer.Option(help="Elevation GeoTIFF, heights above sea level.")],
    out: Annotated[Path, typer.Option(help="The site file to write.")],
    timezone: Annotated[str | None, typer.Option(help="Time zone, as Asia/Shanghai.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    from missions.newsite import new_site

    site = new_site(source, dem, out, timezone=timezone)
    towers = sum(len(line.towers) for line in site.layers.lines)
    say(
        f"{os.fspath(out)}: {len(site.layers.lines)} lines with {towers} towers, "
        f"{len(site.layers.compartments)} areas, {len(site.docks)} docks, {len(site.demands)} demands"
    )
    if timezone is None:
        say(f"time zone taken from the longitude: {site.timezone}; edit it or say --timezone Asia/Shanghai")
    if site.layers.lines:
        named = ", ".join(sorted({f"{line.voltage_kv:g} kV" for line in site.layers.lines}))
        say(f"lines are named with {named}; edit voltage_kv where that is wrong")
    say(f"next: gridpatrol plan {out} --out OUT")
    if as_json:
        show_json(
            {"site": os.fspath(out), "towers": towers, "docks": len(site.docks), "demands": len(site.demands)}
        )
