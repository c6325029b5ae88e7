"""The drones' picture cards over HTTP: what CAMERA_IMAGE_CAPTURED's `file_url` points to.

A picture is asked for as soon as it is taken, and rendered a little later: the
request waits until the file is there. What was never taken is 404. Rendering
runs in one process of its own, so flying is never late for it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from missions.errors import InputWrong

HOST = "127.0.0.1"
_IDLE_S = 60.0
_TYPES = {".JPG": "image/jpeg", ".TIF": "image/tiff"}


class Media:
    """Serves pictures by path, waiting for those still being rendered."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._pictures: dict[str, asyncio.Future[Path]] = {}
        self._server: asyncio.Server | None = None
        self._jobs: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def start(self, port: int = 0) -> None:
        """Listen.

        Raises:
            InputWrong: the port is taken.
        """
        try:
            self._server = await asyncio.start_server(self._serve, HOST, port)
        except OSError as error:
            raise InputWrong(
                f"port {port} is taken ({error.strerror}): choose another --media-port"
            ) from None
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop serving and leave what is not yet rendered."""
        for job in self._jobs:
            job.cancel()
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._open):
            writer.close()

    def render(self, names: tuple[str, ...], make: Callable[[], list[Path]]) -> None:
        """Have files made in the executor; `names` are their paths in the URL, in the same order."""
        loop = asyncio.get_running_loop()
        waiting = [self._pictures.setdefault(name, loop.create_future()) for name in names]
        work = loop.run_in_executor(self._executor, make)
        task = loop.create_task(_settle(work, waiting))
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    @property
    def unfinished(self) -> int:
        """How many pictures are still to be rendered."""
        return len(self._jobs)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            while await self._answer(reader, writer):
                pass
        self._open.discard(writer)
        with suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection stays open."""
        async with asyncio.timeout(_IDLE_S):
            head = await reader.readuntil(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        method, target, version = line.split(" ")
        keep = version == "HTTP/1.1" and not any(f.lower().startswith("connection: close") for f in fields)
        status, body = await self._found(method, target.split("?")[0])
        kind = _TYPES.get(target[-4:].upper(), "text/plain") if status is HTTPStatus.OK else "text/plain"
        writer.write(_head(status, len(body), kind, keep=keep))
        if method != "HEAD":
            writer.write(body)
        await writer.drain()
        return keep

    async def _found(self, method: str, path: str) -> tuple[HTTPStatus, bytes]:
        if method not in ("GET", "HEAD"):
            return HTTPStatus.METHOD_NOT_ALLOWED, b"only GET and HEAD\n"
        picture = self._pictures.get(path)
        if picture is None:
            return HTTPStatus.NOT_FOUND, b"no such picture was taken\n"
        try:
            file = await asyncio.shield(picture)
            return HTTPStatus.OK, await asyncio.to_thread(file.read_bytes)
        except Exception as error:  # the renderer's own failure, told to who asks
            return HTTPStatus.INTERNAL_SERVER_ERROR, f"not rendered: {error}\n".encode()


async def _settle(work: "asyncio.Future[list[Path]]", waiting: "list[asyncio.Future[Path]]") -> None:
    """Hand a job's files, or its failure, to those who wait for them."""
    try:
        paths = await work
    except Exception as error:
        for picture in waiting:
            if not picture.done():
                picture.set_exception(error)
                picture.exception()  # looked at, so that nobody having asked is no warning
        return
    for picture, path in zip(waiting, paths, strict=True):
        if not picture.done():
            picture.set_result(path)


def _head(status: HTTPStatus, length: int, kind: str, *, keep: bool) -> bytes:
    connection = "keep-alive" if keep else "close"
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {length}\r\nConnection: {connection}\r\n\r\n"
    ).encode()
