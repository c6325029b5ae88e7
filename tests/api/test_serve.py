"""Starting the whole service: what is refused, and what a role is given."""

import asyncio
import os
import signal
import socket
import stat

import pytest

from api import settings
from api.bus_server import BusServer, NoServer
from api.logs import OneLog
from api.roles import serve
from api.roles.serve import _alone, _kept_bus, commands, environment, own_token, serving
from missions.errors import InputWrong


def read(tmp_path, **values):
    return settings.read(data=tmp_path / "data", **values)


async def start(told):
    async with serving(told):
        pytest.fail("it must not start")


async def test_a_port_in_use_is_told_before_anything_is_started(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputWrong, match=f"port {port} is in use: choose another with --http-port"):
            await start(read(tmp_path, http_port=port))
    assert not (tmp_path / "data" / "bus").exists()


async def test_a_data_folder_belongs_to_one_service(tmp_path):
    told = read(tmp_path)
    with _alone(told.data), pytest.raises(InputWrong, match="is in use by another service"):
        await start(told)


async def test_a_site_that_is_not_there_is_told_and_the_folder_is_free_again(tmp_path):
    told = read(tmp_path, site=tmp_path / "none.yaml", http_port=65000)
    for _ in range(2):
        with pytest.raises(InputWrong, match=r"none\.yaml"):
            await start(told)


def test_tokens_are_made_once_for_the_owner_alone(tmp_path):
    (tmp_path / "keys").mkdir()
    token = own_token(tmp_path, "operator-token")
    assert token.startswith("gp_")
    assert own_token(tmp_path, "operator-token") == token
    assert stat.S_IMODE((tmp_path / "keys" / "operator-token").stat().st_mode) == 0o600


def test_what_starts_flights_is_stopped_first_and_the_api_last(tmp_path):
    names = list(commands(read(tmp_path, analysts=3)))
    assert names == ["coordinator", "gateway", "analyst", "analyst-2", "analyst-3", "api"]


def test_a_role_is_given_the_settings_and_no_token(tmp_path):
    given = environment(read(tmp_path, seed=5))
    assert given["GRIDPATROL_SEED"] == "5"
    assert not [name for name, value in given.items() if name.startswith("GRIDPATROL_") and "gp_" in value]


async def test_a_bus_that_does_not_start_again_at_once_is_tried_until_it_does(tmp_path, monkeypatch):
    started, faults, real = asyncio.Queue(), [], BusServer.start

    async def start(data, agencies):
        if faults:
            raise faults.pop()
        server = await real(data, agencies)
        started.put_nowait(server)
        return server

    monkeypatch.setattr(BusServer, "start", start)
    monkeypatch.setattr(serve, "pause_s", lambda failures: 0.05)
    one_log = OneLog(tmp_path)
    async with asyncio.timeout(30), _kept_bus(tmp_path, one_log, ["forestry"]) as address:
        faults.append(NoServer("no room on the disk"))
        os.kill((await started.get()).process.pid, signal.SIGKILL)
        assert (await started.get()).address == address
    one_log.close()
    assert "no room on the disk" in one_log.file.read_text()
