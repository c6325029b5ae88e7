"""`gridpatrol user`, `key` and `audit` on a data folder."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from missions.program import main

VALLEY = Path(__file__).parents[2] / "examples" / "valley" / "site.yaml"


@pytest.fixture
def data(tmp_path: Path, prepared: Path) -> Path:
    shutil.copy(prepared, tmp_path / prepared.name)
    (tmp_path / "password").write_text("three red cranes over rice\n")
    return tmp_path


def run(data: Path, *words: str) -> int:
    return main([*words, "--data", str(data)])


def add(data: Path, login: str = "wang", *more: str) -> int:
    return run(data, "user", "add", login, "--role", "operator", *more, "--password-file", f"{data}/password")


def test_a_person_is_added_listed_shut_and_opened_again(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(data, "Wang", "--name", "Wang Mei") == 0
    assert run(data, "user", "disable", "wang") == 0
    capsys.readouterr()
    assert run(data, "user", "list", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["accounts"]
    assert (row["login"], row["name"], row["disabled"]) == ("wang", "Wang Mei", True)
    assert run(data, "user", "unlock", "wang") == 0
    assert run(data, "user", "password", "wang", "--password-file", f"{data}/password") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("user", "disable", "nobody"), "there is no login 'nobody'"),
        (("key", "revoke", "nothing"), "there is no key 'nothing'"),
        (("key", "add", "desk", "--role", "agency", "--site", str(VALLEY)), "names its agency"),
        (
            ("key", "add", "desk", "--role", "agency", "--agency", "moon", "--site", str(VALLEY)),
            "found 'moon', expected one of",
        ),
    ],
)
def test_what_is_not_there_is_named(
    data: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert run(data, *words) == 2
    assert said in capsys.readouterr().err


def test_a_weak_password_and_a_taken_login_are_refused(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(data) == 0
    assert add(data) != 0
    assert "is taken" in capsys.readouterr().err
    (data / "password").write_text("short")
    assert add(data, "li") != 0
    assert "take a sentence" in capsys.readouterr().err


def test_a_key_is_shown_once_and_ends_when_it_is_revoked(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("key", "add", "hotline", "--role", "agency", "--agency", "forestry", "--scope", "incidents:read")
    assert run(data, *words, "--site", str(VALLEY), "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert made["key"].startswith("gp_")
    assert run(data, "key", "revoke", made["id"]) == 0
    assert run(data, "key", "list", "--json") == 0
    out = capsys.readouterr().out
    (row,) = json.loads(out)["keys"]
    assert (row["scopes"], row["revoked"]) == (["incidents:read"], True)
    assert made["key"] not in out


def test_the_trail_is_verified_and_a_change_in_it_ends_with_1(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(data)
    run(data, "user", "disable", "wang")
    capsys.readouterr()
    assert run(data, "audit", "verify", "--json") == 0
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["holds"], verdict["entries"]) == (True, 2)
    with sqlite3.connect(data / "gridpatrol.db") as database:
        database.execute("UPDATE audit SET actor = 'somebody else' WHERE seq = 1")
    database.close()
    assert run(data, "audit", "verify", "--head", verdict["head"]) == 1
    assert "entry 1 was changed" in capsys.readouterr().err


def test_a_folder_without_a_service_is_said_to_be_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "user", "list") == 2
    assert "gridpatrol serve" in capsys.readouterr().err
