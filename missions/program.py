"""The program `gridpatrol`: gathers the commands that each package registers.

A package adds commands by the entry point group `gridpatrol.commands`, whose
value is a function `register(app: typer.Typer) -> None`. Exit codes: 0 done,
1 the work failed, 2 the input is wrong. A command ends by returning; it prints
its one JSON value through `show_json` when called with `--json`, and then
everything meant for a person goes to standard error.
"""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from missions.errors import GridpatrolError, InputWrong
from missions.measure import Job, Raw, Suite, suites, table, to_json

GROUP = "gridpatrol.commands"

bench = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def build() -> typer.Typer:
    """Return the whole command line, all packages' commands registered."""
    app = typer.Typer(
        name="gridpatrol",
        help="Shared drone flights for the power grid and the agencies around it.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_whole)
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        entry.load()(app)
    for suite in suites():
        bench.command(suite.name, help=_bench_help(suite))(_bench_command(suite))
    app.add_typer(
        bench, name="bench", help="Measure, beside what others reach; prints figures, fails nothing."
    )
    return app


def main(arguments: list[str] | None = None) -> int:
    """Run the program and return its exit code."""
    try:
        build()(args=arguments, prog_name="gridpatrol")
    except SystemExit as ended:  # how typer reports wrong words (2), an abort (1) and success (0)
        return ended.code if isinstance(ended.code, int) else 1
    except GridpatrolError as error:
        say(f"gridpatrol: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        say("gridpatrol: stopped")
        return 1
    return 0


def show_json(value: dict[str, Any]) -> None:
    """Print the one JSON value of a command on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")
    sys.stdout.flush()


def say(text: str = "") -> None:
    """Tell the person at the terminal something, beside whatever goes to standard output."""
    print(text, file=sys.stderr, flush=True)


def out_folder(path: Path, *, option: str = "--out") -> Path:
    """Return the folder a command writes to, made if it was not there; called before the work.

    Raises:
        InputWrong: nothing can be written there.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputWrong(
            f"{option}: {path} cannot be used as a folder ({error.strerror}): choose another"
        ) from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise InputWrong(f"{option}: {path} may not be written to: choose another folder")
    return path


def _bench_help(suite: Suite) -> str:
    groups = "\n\n".join(f"{group}: {suite.notes[group]}" for group in suite.groups)
    return f"Measure {suite.name}.\n\n{groups}\n\nExample: gridpatrol bench {suite.name} --json --raw out/raw"


def _bench_command(suite: Suite) -> Callable[..., None]:
    def run(
        only: Annotated[list[str] | None, typer.Option(help="Only rows whose names begin so.")] = None,
        quick: Annotated[
            bool, typer.Option(help="A short run of the same code: not the figures of record.")
        ] = False,
        raw: Annotated[Path | None, typer.Option(help="Folder for the events behind each figure.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
    ) -> None:
        folder = out_folder(raw, option="--raw") if raw else None
        with _only_warnings_and_to_people():
            rows = suite.run(Job(Raw(folder), say, quick, tuple(only or ())))
        say(table(rows))
        if as_json:
            show_json(to_json(rows))

    return run


@contextmanager
def _only_warnings_and_to_people() -> Iterator[None]:
    """Keep logs off standard output, where the one JSON value belongs, and what is normal off both."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        yield
    finally:
        structlog.configure(**before)


def _whole() -> None:
    """Shared drone flights for the power grid and the agencies around it."""


if __name__ == "__main__":
    sys.exit(main())
