"""Roles are kept alive, heard, and stopped in order."""

import asyncio
import json
import os
import signal
import sys
import time

import pytest

from api.logs import OneLog
from api.roles.supervisor import Supervisor, pause_s
from missions.errors import InputWrong

READY = """
import json, signal, sys, time
def leave(*_):
    print('{"event": "bye", "level": "info"}', file=sys.stderr)
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print(json.dumps({"event": "ready", "level": "info"}), file=sys.stderr, flush=True)
time.sleep(60)
"""
WRONG = "import sys; print('gridpatrol: the site file is gone', file=sys.stderr); sys.exit(2)"


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


@pytest.fixture
def supervise(tmp_path):
    """Makes a supervisor of commands whose log is closed at the end."""
    one_log = OneLog(tmp_path)
    yield lambda commands, hear=None: Supervisor(
        commands, environment=dict(os.environ), one_log=one_log, hear=hear
    )
    one_log.close()


async def test_a_killed_role_is_started_again(supervise):
    readies = asyncio.Queue()
    supervisor = supervise(
        {"analyst": python(READY)}, lambda e: readies.put_nowait(e) if e["event"] == "ready" else None
    )
    running = asyncio.create_task(supervisor.run())
    async with asyncio.timeout(20):
        await readies.get()
        role = supervisor.roles["analyst"]
        os.kill(role.process.pid, signal.SIGKILL)
        await readies.get()
        supervisor.stop()
        await running
    assert role.starts == 2


async def test_roles_are_stopped_one_after_the_other_in_the_order_given(supervise, tmp_path):
    heard: list[dict] = []
    supervisor = supervise({"first": python(READY), "second": python(READY)}, heard.append)
    running = asyncio.create_task(supervisor.run())
    async with asyncio.timeout(20):
        await supervisor.ready()
        supervisor.stop()
        await running
    lines = [json.loads(line) for line in (tmp_path / "log" / "gridpatrol.log").read_text().splitlines()]
    assert [e["event"] for e in lines] == ["ready", "ready", "bye", "bye"] == [e["event"] for e in heard]
    assert [r.process.returncode for r in supervisor.roles.values()] == [0, 0]


async def test_wrong_input_ends_the_service_instead_of_trying_for_ever(supervise):
    began = time.monotonic()
    supervisor = supervise({"api": python(WRONG), "analyst": python(READY)})
    with pytest.raises(InputWrong, match=r"^the site file is gone$"):
        await asyncio.wait_for(supervisor.run(), 20)
    assert time.monotonic() - began < 10


def test_the_pause_before_a_restart_grows_and_is_bounded():
    pauses = [pause_s(n) for n in range(1, 100)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1.0, 30.0)
