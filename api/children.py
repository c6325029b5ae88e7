"""Child processes that die with us, and stop in order when asked.

A parent killed by `kill -9` runs no clean-up, so the kernel must do it: on
Linux each child asks, between fork and exec, for a SIGKILL at its parent's
death (`prctl(PR_SET_PDEATHSIG)`, kept across exec). The kernel watches the
*thread* that forked, so children are started from the main thread only. Where
there is no prctl (macOS) children live until their own input ends. Children
get a session of their own: a Ctrl-C at the terminal reaches the parent alone,
which stops them in its order.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: loading a library between fork and exec may deadlock.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def dying_with(parent_pid: int) -> Callable[[], None]:
    """Return what a child runs before exec so that it dies with its parent."""

    def prepare() -> None:
        if _LIBC is None:
            return
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:  # the parent died before the kernel was asked
            os._exit(1)

    return prepare


async def start(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    stdout: int | IO[bytes] | None = asyncio.subprocess.DEVNULL,
    stderr: int | IO[bytes] | None = asyncio.subprocess.DEVNULL,
) -> asyncio.subprocess.Process:
    """Return a running child that dies with this process; call it from the main thread."""
    return await asyncio.create_subprocess_exec(
        *map(str, command),
        env=None if environment is None else dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
        preexec_fn=dying_with(os.getpid()),
        limit=1 << 20,  # one log line may be long
    )


async def stop(process: asyncio.subprocess.Process, *, patience_s: float = 10.0) -> int:
    """Return the exit code of a child told to end, by force once patience is over."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(sign)
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(process.wait(), patience_s)
    raise TimeoutError(f"process {process.pid} outlived SIGKILL for {patience_s:g} s")


def program(*arguments: str) -> list[str]:
    """Return the command line that runs our own program with the running Python, without PATH."""
    return [sys.executable, "-m", "missions.program", *arguments]
