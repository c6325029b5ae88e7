"""The one process that renders, so that flying is never late for a picture.

It begins and ends with its parent alone: the terminal's signals pass it by (a
worker killed while it starts can leave a process pool waiting for ever), and it
leaves by itself when the parent is gone, however that ended.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait

from sim.camera import use_world
from sim.world import World

_SIGNALS = {signal.SIGINT, signal.SIGTERM}


def renderer(world: World) -> ProcessPoolExecutor:
    """Return a pool of one process that has the world; it is starting already."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, context, initializer=_begin, initargs=(world,))
    with _deaf():
        pool.submit(os.getpid)
    return pool


@contextmanager
def _deaf() -> Iterator[None]:
    """Start children whose signals are blocked; ours come a moment later."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(world: World) -> None:
    """Prepare the rendering process, which yields to flying."""
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    os.nice(5)
    use_world(world)


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
