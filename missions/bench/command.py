"""The command `gridpatrol bench planner`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from missions.errors import InputWrong
from missions.measure import Job, Raw, Suite, table, to_json
from missions.program import out_folder, say, show_json

# Each is a process with a solver of its own: a slip of the keyboard must not start a hundred thousand.
MOST_WORKERS = 64

HELP = """Measure the planner: public problems, our own cases, sharing, re-planning.

Example: gridpatrol bench planner --case farm576/seed1.json --seconds 10 --routes R.json --json
"""

GROUPS = {
    "sharing": "five fixed sites whose agencies overlap by 0 to 100 %: what flying together saves",
    "checker": "mutated plans that the checker must refuse",
    "replan": "a dock down on a farm of 576 points: how soon, and how much worse than a cold start",
}


def planner_command(
    instances: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A folder of mdvrp, top or carp instances.")
    ] = None,
    case: Annotated[Path | None, typer.Option(metavar="FILE", help="One of our own cases.")] = None,
    seconds: Annotated[
        float, typer.Option(min=0.1, help="CPU seconds of one worker for each answer.")
    ] = 60.0,
    workers: Annotated[
        int, typer.Option(min=1, max=MOST_WORKERS, help="Processes; seconds are then by the clock.")
    ] = 1,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Where the search starts from.")] = 1,
    only: Annotated[
        list[str] | None, typer.Option(help="Only instances or rows whose names begin so.")
    ] = None,
    alone: Annotated[bool, typer.Option(help="Also run PyVRP alone for as long.")] = True,
    until_known: Annotated[
        bool, typer.Option("--until-known", help="End a search once it is at the best known value.")
    ] = False,
    compare: Annotated[bool, typer.Option(help="Also run the simpler planners on a case.")] = False,
    routes: Annotated[Path | None, typer.Option(help="Write the sorties of a case to this file.")] = None,
    quick: Annotated[
        bool, typer.Option(help="A short run of the same code: not the figures of record.")
    ] = False,
    raw: Annotated[Path | None, typer.Option(help="Folder for the events behind each figure.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    if instances and case:
        raise InputWrong("--instances and --case: choose one of them")
    kept = Raw(out_folder(raw, option="--raw") if raw else None)
    if routes:
        out_folder(routes.parent, option="--routes")
    value: dict[str, Any]
    if instances:
        from missions.bench.instances import measure_folder

        value = measure_folder(
            instances,
            seconds=seconds,
            seed=seed,
            only=tuple(only or ()),
            alone=alone,
            until_known=until_known,
            tell=say,
        )
        kept.write(instances.name, *({"seconds": seconds, "seed": seed} | row for row in value["instances"]))
        value["instances"] = [
            {k: v for k, v in row.items() if not k.endswith("routes")} for row in value["instances"]
        ]
        say(f"mean gap {value['mean_gap']:.2%}")
    elif case:
        from missions.bench.case import measure_case

        value = measure_case(case, seconds=seconds, workers=workers, seed=seed, compare=compare, tell=say)
        flown = value.pop("routes")
        if routes:
            routes.write_text(json.dumps(flown))
        kept.write(case.stem, value | flown)
    else:
        suite = Suite("planner")
        for group, note in GROUPS.items():
            suite.add(group, f"missions.bench.{group}:rows", note)
        rows = suite.run(Job(kept, say, quick, tuple(only or ())))
        say(table(rows))
        value = to_json(rows)
    if as_json:
        show_json(value)
