"""Commands of missions: plan, export, new-site."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from missions.bench.command import HELP as BENCH_HELP
from missions.bench.command import MOST_WORKERS, planner_command
from missions.errors import InputWrong
from missions.export import geojson, kml, planfile, qgc, waypoints, wpml
from missions.export.planfile import PlanFile
from missions.model import Plan, Site
from missions.newsite_command import HELP as NEW_SITE_HELP
from missions.newsite_command import new_site_command
from missions.program import bench, out_folder, say, show_json
from missions.replan_command import HELP as REPLAN_HELP
from missions.replan_command import replan_command
from missions.shares import shares
from missions.telling import Stopping, Told
from missions.yaml_lines import Lined

FORMATS = ("qgc", "waypoints", "wpml", "kml", "geojson")
# The solver's generator takes 32 bits.
MAX_SEED = 2**32 - 1

# A site file larger than this takes seconds to read.
LONG_READ_BYTES = 200_000

PLAN_HELP = """Plan the flights that serve all agencies of a site together.

Example: gridpatrol plan examples/valley/site.yaml --out OUT
"""

EXPORT_HELP = """Write a plan in the form another program reads.

Example: gridpatrol export OUT/plan.json --format qgc --out OUT
"""


def register(app: typer.Typer) -> None:
    """Add this package's commands to the program."""
    app.command("plan", help=PLAN_HELP)(plan_command)
    app.command("replan", help=REPLAN_HELP)(replan_command)
    app.command("export", help=EXPORT_HELP)(export_command)
    app.command("new-site", help=NEW_SITE_HELP)(new_site_command)
    bench.command("planner", help=BENCH_HELP)(planner_command)


def plan_command(
    site_file: Annotated[Path, typer.Argument(metavar="SITE.yaml", help="The site file.")],
    seconds: Annotated[float, typer.Option(min=0.1, help="How long to look for a better plan.")] = 10.0,
    iterations: Annotated[
        int | None, typer.Option(min=1, help="Search so many rounds instead: the same plan everywhere.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Where the search starts from.")] = 1,
    workers: Annotated[
        int, typer.Option(min=1, max=MOST_WORKERS, help="Searches side by side; the best wins.")
    ] = 1,
    gap: Annotated[
        float, typer.Option(min=0, max=0.99, help="Stop a search proven to be so near to the best, as 0.1.")
    ] = 0.0,
    compare_separate: Annotated[
        bool,
        typer.Option("--compare-separate", help="Also plan each agency alone and say what sharing saves."),
    ] = False,
    begin: Annotated[str, typer.Option("--from", help="Earliest take-off of the day.")] = "00:00",
    until: Annotated[str, typer.Option(help="Latest landing of the day.")] = "24:00",
    land_elsewhere: Annotated[
        bool, typer.Option(help="Let pairs of drones start at one dock and land at its neighbour.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for plan.json, the files and plan.png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    # Planning brings SciPy and the solver along, which the other commands need not wait for.
    from missions import searching
    from missions.planner import plan, saving
    from missions.site import load_site
    from missions.terrain import Terrain

    progress = Told()
    if site_file.is_file() and site_file.stat().st_size > LONG_READ_BYTES:
        progress("reading the site", 0.0)
    site = load_site(site_file)
    if out is not None:
        out_folder(out)  # said now, not after the search
    terrain = Terrain.open(site.terrain)
    search: dict[str, Any] = {"seconds": seconds, "iterations": iterations, "seed": seed, "workers": workers}
    hours = _hours(begin, until)
    with Stopping(say) as stopping:
        made = plan(
            site,
            terrain=terrain,
            progress=progress,
            best=progress.best,
            hours=hours,
            land_elsewhere=land_elsewhere,
            gap=gap,
            cancelled=stopping,
            **search,
        )
    if compare_separate and not stopping():
        made = replace(
            made, saving=saving(made, site, terrain=terrain, progress=progress, hours=hours, **search)
        )
    if out is not None:
        progress("writing files", 1.0)
        write(made, site, terrain, out)
    progress.end()
    tell: Callable[[str], None] = say if as_json else print
    show(made, site, tell)
    if as_json:
        found = [searching.to_json(effort) for effort in searching.efforts(made, site)]
        show_json(to_json(made) | {"searches": found})
    _refuse_unreachable(made, site, site_file)


def _hours(begin: str, until: str) -> tuple[float, float]:
    """Return the hours to plan for.

    Raises:
        InputWrong: one of them is no time of day, or they leave none.
    """
    found = []
    for option, text in (("--from", begin), ("--until", until)):
        hour, _, minute = text.partition(":")
        is_time = hour.isdecimal() and minute.isdecimal() and int(minute) < 60
        if not is_time or int(hour) * 60 + int(minute) > 24 * 60:
            raise InputWrong(f"{option}: found {text!r}, expected a time of day as 07:30")
        found.append(int(hour) * 3600.0 + int(minute) * 60.0)
    if found[1] <= found[0]:
        raise InputWrong(f"--until: found {until}, expected a time after {begin}")
    return found[0], found[1]


def _refuse_unreachable(made: Plan, site: Site, site_file: Path) -> None:
    """End with exit code 2, the plan being out already, where a demand is not served at all.

    Raises:
        InputWrong: names the first such demand's line, why, and what would help.
    """
    flown = {task for sortie in made.sorties for task in sortie.tasks}
    served = {demand for task in made.tasks if task.id in flown for demand in task.demands}
    optional = {d.id for d in site.demands if d.worth_s is not None}
    lost = next((u for u in made.unserved if u.demand not in served | optional), None)
    if lost is None:
        return
    row = next(i for i, demand in enumerate(site.demands) if demand.id == lost.demand)
    place = Lined(site_file).place("demands", row)
    raise InputWrong(
        f"{place}: demand {lost.demand} is in no flight: {lost.reason} (would help: {lost.would_help})"
    )


def export_command(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.json", help="A plan that `plan --out` wrote.")],
    form: Annotated[str, typer.Option("--format", help="One of: " + ", ".join(FORMATS) + ".")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    if form not in FORMATS:
        raise InputWrong(f"--format: found {form!r}, expected one of {', '.join(FORMATS)}")
    file = planfile.read(plan_file)
    paths = _export(file, form, out_folder(out))
    if as_json:
        show_json({"files": [str(p) for p in paths]})
    else:
        print("\n".join(str(p) for p in paths))


def to_json(plan: Plan) -> dict[str, Any]:
    """Return what `plan --json` prints."""
    slots = {slot.sortie: slot for slot in plan.slots}
    return {
        "site": plan.site,
        "seed": plan.seed,
        "sorties": [
            {
                "id": s.id,
                "dock": s.dock,
                "model": s.model,
                "flight_s": s.flight_s,
                "energy_wh": s.energy_wh,
                "reserve_min": s.reserve_min,
                "worst_wh": s.worst_wh,
                "spare_wh": s.spare_wh,
                "lands_at": s.lands_at,
                "drone": slots[s.id].drone if s.id in slots else None,
                "starts_s": slots[s.id].starts_s if s.id in slots else None,
                "agencies": list(s.agencies),
                "shots": len(s.shots),
                "tasks": len(s.tasks),
            }
            for s in plan.sorties
        ],
        "flight_s": round(plan.flight_s, 1),
        "energy_wh": round(plan.energy_wh, 2),
        "shared_tasks": plan.shared_tasks,
        "shares": [asdict(share) for share in shares(plan)],
        "unserved": [
            {"demand": u.demand, "reason": u.reason, "would_help": u.would_help} for u in plan.unserved
        ],
        "saving": plan.saving,
    }


def _export(file: PlanFile, form: str, folder: Path) -> tuple[Path, ...]:
    if form == "qgc":
        return qgc.write(file, folder)
    if form == "waypoints":
        return waypoints.write(file, folder)
    if form == "wpml":
        return wpml.write(file, folder)
    path = folder / f"plan.{form}"
    (kml if form == "kml" else geojson).write(file, path)
    return (path,)


def write(plan: Plan, site: Site, terrain: Any, out: Path) -> None:
    """Write everything that `plan --out` leaves in its folder."""
    from missions.export import picture, profile  # matplotlib takes a second to load

    folder = out_folder(out)
    planfile.write(plan, site, folder / "plan.json")
    file = planfile.of(plan, site)
    for form in FORMATS:
        _export(file, form, folder)
    picture.write(plan, site, terrain, folder / "plan.png")
    profile.write(plan, terrain, folder)


def show(plan: Plan, site: Site, tell: Callable[[str], None]) -> None:
    """Tell the plan as a table, what it leaves out, and how to start ArduPilot at each dock."""
    from missions import searching

    # These bring shapely along, which the other commands need not wait for.
    from missions.periods import clock
    from missions.volumes import docks_in_zones

    for name, zone in docks_in_zones(site):
        tell(
            f"{name} lies in the no-fly zone {zone} or too near to it: while that is shut nothing flies there"
        )
    if not site.demands:
        tell("nothing to fly: the site has no demands")
    slots = {slot.sortie: slot for slot in plan.slots}
    rows = [("sortie", "dock", "drone", "starts", "minutes", "reserve", "shots", "agencies")]
    rows += [
        (
            s.id,
            f"{s.dock} > {s.end}" if s.end else s.dock,
            slots[s.id].drone if s.id in slots else "-",
            clock(slots[s.id].starts_s) if s.id in slots else "-",
            f"{s.flight_s / 60:.1f}",
            f"{s.reserve_min:.0f} min",
            str(len(s.shots)),
            ", ".join(s.agencies),
        )
        for s in plan.sorties
    ]
    _tell_table(rows, tell)
    _tell_shares(plan, tell)
    if searched := searching.table(searching.efforts(plan, site)):
        _tell_table(searched, tell)
    tell(
        f"{len(plan.sorties)} sorties, {plan.flight_s / 60:.0f} min, {plan.energy_wh:.0f} Wh; "
        f"{plan.shared_tasks} tasks serve more than one agency"
    )
    if plan.saving is not None:
        tell(f"flying together saves {plan.saving:.0%} of the time that separate flights would take")
    for unserved in plan.unserved:
        tell(f"unserved: {unserved.demand}: {unserved.reason} (would help: {unserved.would_help})")
    for dock in site.docks:
        place = f"{dock.place.lat_deg:.7f},{dock.place.lon_deg:.7f},{dock.elevation_m:g},0"
        tell(f"ArduPilot at {dock.id}: sim_vehicle.py -v ArduCopter --custom-location={place}")


def _tell_shares(plan: Plan, tell: Callable[[str], None]) -> None:
    """Tell what each agency gets of the plan, and which part of the flying is its own."""
    rows = [("agency", "looks", "with others", "sorties", "minutes", "Wh", "share")]
    rows += [
        (
            s.agency,
            str(s.looks),
            str(s.shared_looks),
            str(s.sorties),
            f"{s.flight_s / 60:.1f}",
            f"{s.energy_wh:.0f}",
            f"{s.part:.0%}",
        )
        for s in shares(plan)
    ]
    _tell_table(rows, tell)


def _tell_table(rows: Sequence[Sequence[str]], tell: Callable[[str], None]) -> None:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        tell("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
