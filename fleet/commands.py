"""Commands of fleet."""

import typer


def register(app: typer.Typer) -> None:
    """Add this package's commands to the program."""
