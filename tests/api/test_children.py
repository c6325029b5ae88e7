"""Child processes end when told, and when their parent is gone."""

import asyncio
import sys

from api import children

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""


async def test_a_child_that_ignores_the_signal_is_ended_by_force():
    process = await children.start([sys.executable, "-c", STUBBORN], stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"up\n"
    assert await children.stop(process, patience_s=0.2) == -9


async def test_our_own_program_runs_without_path():
    process = await children.start(children.program("--help"), environment={}, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert b"gridpatrol" in output
