"""Commands `user`, `key` and `audit`: parse, call `api/administration.py`, print."""

from pathlib import Path
from typing import Annotated

import typer

from api.rights import Role
from missions.errors import InputWrong, WorkFailed
from missions.program import say, show_json

Data = Annotated[Path | None, typer.Option(help="The data folder (gridpatrol-data).")]
SiteFile = Annotated[Path | None, typer.Option(help="The site file, for the names of agencies.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]
Agency = Annotated[str | None, typer.Option(help="The agency, for the role agency.")]
PasswordFile = Annotated[Path | None, typer.Option(help="Read the password from here instead of asking.")]
LoginName = Annotated[str, typer.Argument(help="What the person types to log in.")]

user = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
key = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
trail = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add `user`, `key` and `audit` to the program."""
    app.add_typer(
        user, name="user", help="People who log in.\n\nExample: gridpatrol user add wang --role agency"
    )
    app.add_typer(key, name="key", help="Keys of programs.\n\nExample: gridpatrol key list")
    app.add_typer(trail, name="audit", help="The audit trail.\n\nExample: gridpatrol audit verify")


@user.command("add")
def add_user(
    login: LoginName,
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    name: Annotated[str | None, typer.Option(help="The person's name; the login if not given.")] = None,
    agency: Agency = None,
    password_file: PasswordFile = None,
    data: Data = None,
    site: SiteFile = None,
    as_json: Json = False,
) -> None:
    """Add a person.

    Example: gridpatrol user add wang --role agency --agency forestry
    """
    from api import administration
    from api.settings import read

    settings = read(data=data, site=site)
    password = _password(password_file)
    row = administration.add_person(settings, login, password, name=name, role=role, agency=agency)
    say(f"{row.login} may log in as {row.role}")
    if as_json:
        show_json({"id": row.id, "login": row.login, "role": row.role, "agency": row.agency})


@user.command("list")
def list_users(data: Data = None, as_json: Json = False) -> None:
    """List everybody who may log in, and who no longer may.

    Example: gridpatrol user list
    """
    from api import administration
    from api.settings import read

    rows = administration.people(read(data=data))
    for row in rows:
        factor = "with second factor" if row.totp_confirmed_at else "password only"
        stand = f"disabled since {row.disabled_at:%Y-%m-%d}" if row.disabled_at else factor
        say(f"{row.login:<24} {row.role:<10} {row.agency or '-':<16} {stand}")
    if as_json:
        shown = [
            {
                "id": row.id,
                "login": row.login,
                "name": row.name,
                "role": row.role,
                "agency": row.agency,
                "second_factor": row.totp_confirmed_at is not None,
                "disabled": row.disabled_at is not None,
            }
            for row in rows
        ]
        show_json({"accounts": shown})


@user.command("disable")
def disable_user(login: LoginName, data: Data = None) -> None:
    """Shut an account and end its sessions.

    Example: gridpatrol user disable wang
    """
    from api import administration
    from api.settings import read

    administration.disable(read(data=data), login)
    say(f"{login} can no longer log in, and every open session has ended")


@user.command("unlock")
def unlock_user(login: LoginName, data: Data = None) -> None:
    """Open an account that failures or an administrator shut.

    Example: gridpatrol user unlock wang
    """
    from api import administration
    from api.settings import read

    administration.unlock(read(data=data), login)
    say(f"{login} may log in again")


@user.command("password")
def set_password(login: LoginName, password_file: PasswordFile = None, data: Data = None) -> None:
    """Set a person's password; every open session of theirs ends.

    Example: gridpatrol user password wang
    """
    from api import administration
    from api.settings import read

    administration.set_password(read(data=data), login, _password(password_file))
    say(f"{login} has a new password")


@key.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    role: Annotated[Role, typer.Option(help="What the key may do at most.")],
    agency: Agency = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="SUBJECT:read or SUBJECT:write; all of the role if none.")
    ] = None,
    data: Data = None,
    site: SiteFile = None,
    as_json: Json = False,
) -> None:
    """Make a key for a program; it is shown this once.

    Example: gridpatrol key add hotline --role agency --agency forestry --scope incidents:read
    """
    from api import administration
    from api.settings import read

    settings = read(data=data, site=site)
    made = administration.add_key(settings, name, role=role, agency=agency, scopes=scope)
    say("The key, shown this once:")
    if as_json:
        show_json({"id": made.id, "key": made.key, "role": role.value, "agency": agency, "scopes": scope})
    else:
        typer.echo(made.key)


@key.command("list")
def list_keys(data: Data = None, as_json: Json = False) -> None:
    """List the keys that were made; the keys themselves are kept nowhere.

    Example: gridpatrol key list
    """
    from api import administration
    from api.settings import read

    rows = administration.keys(read(data=data))
    for row in rows:
        stand = f"ended {row.revoked_at:%Y-%m-%d}" if row.revoked_at else "counts"
        say(f"{row.id}  {row.role:<9} {row.agency or '-':<16} {row.name:<40} {stand}")
    if as_json:
        shown = [
            {
                "id": row.id,
                "name": row.name,
                "role": row.role,
                "agency": row.agency,
                "scopes": row.scopes,
                "revoked": row.revoked_at is not None,
            }
            for row in rows
        ]
        show_json({"keys": shown})


@key.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="As key list shows it.")], data: Data = None
) -> None:
    """End a key and the sessions born of it.

    Example: gridpatrol key revoke 9a41f0c2
    """
    from api import administration
    from api.settings import read

    administration.revoke_key(read(data=data), key_id)
    say(f"key {key_id} no longer counts")


@trail.command("verify")
def verify_trail(
    head: Annotated[
        str | None, typer.Option(help="The head an earlier check printed: it must still be there.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Check that no entry of the audit trail was changed, taken out or put in.

    Example: gridpatrol audit verify
    """
    from api import administration
    from api.settings import read

    found = administration.verify_trail(read(data=data), head)
    if as_json:
        show_json(
            {
                "holds": found.holds,
                "entries": found.entries,
                "head": found.head,
                "broken_at": found.broken_at,
                "reason": found.reason,
            }
        )
    if not found.holds:
        raise WorkFailed(f"the audit trail does not hold from entry {found.broken_at} on: {found.reason}")
    say(f"the audit trail holds: {found.entries} entries, head {found.head}")
    say("Note the head somewhere else: with --head, entries cut off at the end are missed.")


def _password(file: Path | None) -> str:
    if file is None:
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise InputWrong(f"--password-file: {file}: {error.strerror}") from None
