"""`gridpatrol witness`: what satellites, people, gauges, cameras and weather stations say, by the file."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from missions.program import say, show_json

if TYPE_CHECKING:
    from api.witnessing import Desk, Told

HELP = """Read what other witnesses say into incidents. The same file twice changes nothing.

Example: gridpatrol witness firms SUOMI_VIIRS_C2_Europe_48h.csv --data /var/lib/gridpatrol --json
"""

File = Annotated[Path, typer.Argument(help="The file to read.", metavar="FILE")]
Data = Annotated[Path | None, typer.Option(help="The data folder (gridpatrol-data).")]
SiteFile = Annotated[Path | None, typer.Option(help="The site file (examples/valley/site.yaml).")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]

KINDS = {
    "firms": ("firms", "Read a NASA FIRMS file: MODIS or VIIRS, from the archive or the API."),
    "report": ("reports", "Read reports and patrol records: JSON, JSON lines or CSV, Open311 field names."),
    "gauge": ("gauges", "Read river gauges: level, warning level and guaranteed level."),
    "camera": ("cameras", "Read what fixed cameras saw: place, bearing, picture."),
    "weather": ("weather", "Read weather stations; each day gets its Canadian fire-weather index."),
    "masks": ("masks", "Read places that are always hot: name, place, radius, owner, until when."),
}


def register(app: typer.Typer) -> None:
    """Add the group `witness` to the program."""
    group = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)
    for name, (method, help_text) in KINDS.items():
        example = f"Example: gridpatrol witness {name} FILE --json"
        group.command(name, help=f"{help_text}\n\n{example}\n")(_command(method))
    group.command("hotspots", help=HOTSPOTS_HELP)(hotspots)
    app.add_typer(group, name="witness")


HOTSPOTS_HELP = """Read any CSV file of hot spots (FY-3, FY-4, Himawari) by a file that names its columns.

Example: gridpatrol witness hotspots fy3d.csv --columns fy3d.yaml --json
"""


def hotspots(
    file: File,
    columns: Annotated[Path, typer.Option(help="YAML or JSON: which column holds what (docs/witnesses.md).")],
    data: Data = None,
    site: SiteFile = None,
    as_json: Json = False,
) -> None:
    _run(lambda desk: desk.hotspots(file, columns), data, site, as_json)


def _command(method: str) -> Callable[..., None]:
    def take(file: File, data: Data = None, site: SiteFile = None, as_json: Json = False) -> None:
        _run(lambda desk: getattr(desk, method)(file), data, site, as_json)

    return take


def _run(work: "Callable[[Desk], Any]", data: Path | None, site: Path | None, as_json: bool) -> None:
    from api.settings import read
    from api.witnessing import take_in

    told = asyncio.run(take_in(read(data=data, site=site), work))
    for line in _sentences(told):
        say(line)
    if as_json:
        show_json(told.to_json())


def _sentences(told: "Told") -> list[str]:
    """Return what came of a file, for a person."""
    lines = [f"{told.read} read, {told.new} new, {told.updated} updated, {told.masked} masked"]
    if told.opened or told.joined:
        lines.append(f"{told.opened} incidents opened, {told.joined} joined")
    lines += [f"  {source}: {count} incidents" for source, count in sorted(told.by_source.items())]
    lines += [f"repaired: {note}" for note in told.repaired[:20]]
    lines += [f"refused, row {r.line}: {r.reason}" for r in told.refused[:20]]
    if len(told.refused) > 20:
        lines.append(f"and {len(told.refused) - 20} more rows refused")
    return lines
