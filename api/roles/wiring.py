"""What every role does alike: read its settings, open the bus, run until told to stop."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from structlog.stdlib import get_logger

from api import logs
from api.bus import Bus
from api.bus_server import address_of, key_of
from api.settings import Settings
from missions.errors import GridpatrolError, WorkFailed

log = get_logger(__name__)

OPERATOR_TOKEN, GATEWAY_TOKEN = "operator-token", "gateway-token"


def run(role: str, main: Callable[[Settings], Awaitable[None]], settings: Settings) -> None:
    """Run a role until it ends; what nobody foresaw is logged whole and ends the process with 1."""
    logs.configure(role, settings.log_level)
    try:
        asyncio.run(_main(main, settings))
    except GridpatrolError:
        raise  # the program words it
    except BaseExceptionGroup as group:
        expected = group.subgroup(GridpatrolError)
        if expected is not None:
            raise _first(expected) from None
        log.exception("the role failed")
        raise SystemExit(1) from None
    except Exception:
        log.exception("the role failed")
        raise SystemExit(1) from None


@contextmanager
def stopping() -> Iterator[asyncio.Event]:
    """Yield an event that is set when the process is told to stop (SIGTERM, or Ctrl-C)."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, told.set)
    try:
        yield told
    finally:
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(sign)


async def until_told(main: Awaitable[None]) -> None:
    """Run a role's work until it fails or the process is told to stop, which cancels it."""
    with stopping() as told:
        work = asyncio.ensure_future(main)
        waits = {work, asyncio.ensure_future(told.wait())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        if told.is_set():
            log.info("stopping")
        if not work.cancelled() and (error := work.exception()):
            raise error


def settle_memory() -> None:
    """Let collections pass by what start-up made: it lives as long as the process.

    A collection of everything, some hundred thousand objects, holds every request up for a tenth of a
    second and more; what requests leave behind is little and young.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


async def open_bus(settings: Settings, role: str) -> Bus:
    """Return a role's connection to the bus of the data folder.

    Raises:
        WorkFailed: no bus was ever started there, or it does not answer.
    """
    address = address_of(settings.data)
    if address is None:
        raise WorkFailed(f"no bus has been started in {settings.data}: start 'gridpatrol serve' there first")
    return await Bus.connect(address.url, role=role, key=key_of(settings.data, role))


def token_file(data: Path, name: str) -> Path:
    """Return where a token of our own is kept (0600)."""
    return data / "keys" / name


async def _main(main: Callable[[Settings], Awaitable[None]], settings: Settings) -> None:
    await main(settings)


def _first(group: BaseExceptionGroup[GridpatrolError]) -> GridpatrolError:
    """Return the first single error inside nested groups."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, GridpatrolError)
    return error
