"""How pictures come off a drone: one small protocol, HTTP behind it.

The camera's record names a `file_url`; asking for it may take as long as the
camera needs to write the file. What arrives is put in place whole or not at all.
"""

import asyncio
import re
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from fleet.errors import PictureLost

LARGEST_BYTES = 100 * 2**20
_ATTEMPTS = 6
_TIMEOUT = httpx.Timeout(90.0, connect=5.0)  # wall seconds: a file is written, not simulated


class MediaSource(Protocol):
    """A way for a picture from a drone to this machine."""

    async def fetch(self, url: str, into: Path) -> None:
        """Put the picture at a path, whole.

        Raises:
            PictureLost: it is not there, or trying again did not help.
        """
        ...


class _Passing(Exception):
    """A failure that trying again may mend."""


class HttpMedia:
    """Pictures by the `file_url` of CAMERA_IMAGE_CAPTURED, at most `at_once` at a time."""

    def __init__(self, *, at_once: int = 4) -> None:
        self._client = httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, trust_env=False)
        self._slots = asyncio.Semaphore(at_once)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def fetch(self, url: str, into: Path) -> None:
        try:
            if urlsplit(url).scheme not in ("http", "https") or urlsplit(url).port == 0:
                raise ValueError
        except ValueError:  # also of a port beyond 65535
            raise PictureLost(url, "it is no http address") from None
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(_Passing),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential_jitter(multiplier=0.2, max=5.0),
            reraise=True,
        )
        try:
            async for attempt in attempts:
                with attempt:
                    async with self._slots:
                        await self._fetch_once(url, into)
        except _Passing as error:
            raise PictureLost(url, f"{error} ({_ATTEMPTS} attempts)") from None

    async def _fetch_once(self, url: str, into: Path) -> None:
        part = into.with_name(into.name + ".part")
        size = 0
        try:
            async with self._client.stream("GET", url) as answer:
                _judge(url, answer.status_code)
                with part.open("wb") as file:
                    async for piece in answer.aiter_bytes(2**18):
                        size += len(piece)
                        if size > LARGEST_BYTES:
                            raise PictureLost(url, f"it is larger than {LARGEST_BYTES >> 20} MiB")
                        file.write(piece)
        except httpx.HTTPError as error:
            raise _Passing(str(error) or type(error).__name__) from None
        if size == 0:
            raise _Passing("it came empty")
        part.replace(into)


def file_name(url: str) -> str:
    """Return a harmless file name for a picture's address."""
    last = unquote(urlsplit(url).path).rsplit("/", 1)[-1]
    return re.sub(r"[^A-Za-z0-9._-]", "_", last).lstrip(".")[:120] or "picture"


def _judge(url: str, status: int) -> None:
    if status == 200:
        return
    if status in (429, 500, 502, 503, 504):
        raise _Passing(f"the camera answered {status}")
    raise PictureLost(url, f"the camera answered {status}")
