"""`gridpatrol evidence verify FILE`: proves a package without a network, a service or an account."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from missions.errors import InputWrong, WorkFailed
from missions.program import say, show_json

VERIFY_HELP = """Say whether an evidence package is whole and unchanged since it was signed.

The package carries its signer's certificate; with --certificate only that signer counts.
Without it, compare the fingerprint with the one the operator gives out.

Example: gridpatrol evidence verify evidence-7c3d9a4e.zip --certificate operator.pem
"""


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    group = typer.Typer(help="Prove evidence packages.", no_args_is_help=True)
    group.command("verify", help=VERIFY_HELP)(verify_command)
    app.add_typer(group, name="evidence")


def verify_command(
    file: Annotated[Path, typer.Argument(help="The package.")],
    certificate: Annotated[Path | None, typer.Option(help="The certificate it must be signed by.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    from api.evidence import verify

    verdict = verify(_read(file), certificate_pem=_read(certificate) if certificate else None)
    if as_json:
        show_json({"holds": verdict.holds, **asdict(verdict)})
    for fault in verdict.faults:
        say(f"  {fault}")
    if not verdict.holds:
        raise WorkFailed(f"{file} does not hold")
    say(f"{file} holds: {verdict.pictures} pictures, {verdict.as_flown} as flown, unchanged since capture.")
    say(f"Signed by the certificate with SHA-256 {verdict.fingerprint}.")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputWrong(f"{file}: {error.strerror}, expected a file") from None
