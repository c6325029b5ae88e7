"""Commands of api: the service and its roles, and the demo."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from api import bench, evidence_commands, office, witness_commands
from missions.program import show_json

SERVE_HELP = """Run the whole service on this machine: bus, database and every role.

Settings come from flags, then the environment (GRIDPATROL_DATA, GRIDPATROL_SITE, ...), then gridpatrol.toml.

Example: gridpatrol serve --data /var/lib/gridpatrol --site examples/valley/site.yaml
"""
DEMO_HELP = """Show the whole product: simulator, service, flights, fires found, agencies told.

Example: gridpatrol demo --headless --minutes 60 --speed 20 --seed 7 --out OUT
"""
ROLES = {
    "api": "Run one api role: HTTP, the page, the event stream and the deliveries.",
    "coordinator": "Run one coordinator: plans, launches, incidents and alerts. Others stand by.",
    "gateway": "Run one gateway: the drones and docks of one region.",
    "analyst": "Run one analyst: looks for hazards in pictures. Start as many as there are cores.",
}
HEADLESS_SPEED, SHOWN_SPEED = 20.0, 10.0
DEFAULT_PORT = 8000

Data = Annotated[Path | None, typer.Option(help="The data folder (gridpatrol-data).")]
SiteFile = Annotated[Path | None, typer.Option(help="The site file (examples/valley/site.yaml).")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="The port of the page and the API (8000).")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]


def register(app: typer.Typer) -> None:
    """Add this package's commands to the program."""
    app.command("serve", help=SERVE_HELP)(serve_command)
    app.command("demo", help=DEMO_HELP)(demo_command)
    witness_commands.register(app)
    office.register(app)
    evidence_commands.register(app)
    for name, help_text in ROLES.items():
        example = f"Example: gridpatrol {name} --data /var/lib/gridpatrol"
        app.command(name, help=f"{help_text}\n\n{example}\n")(_role_command(name))
    bench.enrol()


def serve_command(
    data: Data = None, site: SiteFile = None, http_port: Port = None, as_json: Json = False
) -> None:
    from api.roles.serve import run
    from api.settings import read

    run(read(data=data, site=site, http_port=http_port), show_json if as_json else None)


def demo_command(
    scenario: Annotated[str, typer.Option(help="What happens on the ground.")] = "fire",
    minutes: Annotated[float, typer.Option(min=0.1, help="How long, in simulated minutes.")] = 60.0,
    speed: Annotated[
        float | None, typer.Option(min=0.1, help="Simulated seconds in one second (20 headless, else 10).")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Where fires and decoys lie.")] = 1,
    headless: Annotated[bool, typer.Option("--headless", help="End when the minutes are over.")] = False,
    http_port: Port = None,
    out: Annotated[
        Path | None, typer.Option(help="Keep incidents.geojson, truth.json and the data here.")
    ] = None,
    site: SiteFile = None,
    as_json: Json = False,
) -> None:
    from api.demo.closing import closing
    from api.demo.result import Wish
    from api.demo.run import demo
    from api.demo.screen import Screen
    from api.roles.serve import choose_port
    from api.settings import read

    wish = Wish(
        site=read(site=site).site,
        scenario=scenario,
        minutes=minutes,
        speed=speed or (HEADLESS_SPEED if headless else SHOWN_SPEED),
        seed=seed,
        http_port=http_port or choose_port(DEFAULT_PORT),
        stays=not headless,
        out=out,
    )
    with Screen(minutes) as screen:
        result = asyncio.run(demo(wish, screen))
    screen.table(closing(result))
    if as_json:
        show_json(result.to_json())


def _role_command(name: str) -> Any:
    def run_role(data: Data = None, site: SiteFile = None, as_json: Json = False) -> None:
        import importlib

        from api.settings import read

        role = importlib.import_module(f"api.roles.{name}")
        role.run(read(data=data, site=site))
        if as_json:
            show_json({"role": name, "ended": "told to stop"})

    return run_role
