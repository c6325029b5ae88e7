"""The picture server: it waits for what is being rendered and knows nothing else."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from missions.errors import InputWrong
from sim.media import Media


@pytest.fixture
async def media() -> AsyncIterator[Media]:
    with ThreadPoolExecutor(1) as pool:
        served = Media(pool)
        await served.start()
        yield served
        await served.stop()


async def test_a_request_waits_until_the_picture_is_rendered(media: Media, tmp_path: Path) -> None:
    gate, file = threading.Event(), tmp_path / "GP_0001_W.JPG"

    def make() -> list[Path]:
        gate.wait(5)
        file.write_bytes(b"a picture")
        return [file]

    media.render(("/drones/1/GP_0001_W.JPG",), make)
    async with httpx.AsyncClient() as client:
        asked = asyncio.create_task(client.get(f"{media.url}/drones/1/GP_0001_W.JPG"))
        await asyncio.sleep(0.05)
        assert not asked.done()
        gate.set()
        answer = await asked
    assert (answer.status_code, answer.content) == (200, b"a picture")
    assert answer.headers["content-type"] == "image/jpeg"


async def test_a_picture_never_taken_is_not_found(media: Media) -> None:
    async with httpx.AsyncClient() as client:
        for path in ("/drones/1/GP_0009_W.JPG", "/../../etc/passwd", "/"):
            assert (await client.get(media.url + path)).status_code == 404


async def test_one_connection_serves_many_requests(media: Media, tmp_path: Path) -> None:
    names = [f"GP_{n:04d}_T.TIF" for n in range(5)]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
        media.render((f"/drones/2/{name}",), lambda name=name: [tmp_path / name])  # type: ignore[misc]
    async with httpx.AsyncClient() as client:
        for name in names:
            assert (await client.get(f"{media.url}/drones/2/{name}")).content == name.encode()
        head = await client.head(f"{media.url}/drones/2/{names[0]}")
    assert (head.headers["content-length"], head.content) == ("13", b"")


async def test_a_failed_rendering_is_told_to_who_asks(media: Media) -> None:
    def fail() -> list[Path]:
        raise ValueError("no such world")

    media.render(("/drones/1/GP_0001_W.JPG",), fail)
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{media.url}/drones/1/GP_0001_W.JPG")
    assert (answer.status_code, answer.text) == (500, "not rendered: no such world\n")


async def test_a_taken_port_is_named(media: Media) -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(InputWrong, match="choose another --media-port"):
        await Media(pool).start(media.port)
