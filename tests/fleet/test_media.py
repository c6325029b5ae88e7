"""Pictures off a drone over real HTTP, from a camera with moods."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from fleet.errors import PictureLost
from fleet.media import HttpMedia, file_name


@contextlib.asynccontextmanager
async def camera(answers: list[bytes], *, pause_s: float = 0.0):
    """Serve the answers one after the other, the last one for ever; yield (base address, requests)."""
    requests: list[bytes] = []

    async def serve(reader, writer):
        request = await reader.readuntil(b"\r\n\r\n")
        requests.append(request.split(b" ")[1])
        await asyncio.sleep(pause_s)
        writer.write(answers[min(len(requests), len(answers)) - 1])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", requests
    finally:
        server.close()
        await server.wait_closed()


def answer(status: str, body: bytes = b"", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode() + body


@pytest.fixture
async def media():
    source = HttpMedia()
    yield source
    await source.aclose()


async def test_a_picture_is_put_in_place_whole(media, tmp_path):
    """No other file is left beside it."""
    async with camera([answer("200 OK", b"jpeg")], pause_s=0.1) as (base, _):
        await media.fetch(f"{base}/a.jpg", tmp_path / "a.jpg")
    assert (tmp_path / "a.jpg").read_bytes() == b"jpeg"
    assert [p.name for p in tmp_path.iterdir()] == ["a.jpg"]


@pytest.mark.parametrize(
    "first",
    [answer("503 Busy"), answer("200 OK", b"jp", length=4), answer("200 OK", b""), b""],
    ids=["busy", "torn", "empty", "dropped"],
)
async def test_what_may_pass_is_tried_again(media, tmp_path, first):
    """A torn picture is never put in place."""
    async with camera([first, answer("200 OK", b"jpeg")]) as (base, requests):
        await media.fetch(f"{base}/a.jpg", tmp_path / "a.jpg")
    assert (tmp_path / "a.jpg").read_bytes() == b"jpeg"
    assert len(requests) == 2


async def test_what_is_not_there_is_not_tried_again(media, tmp_path):
    """404 is the camera's word that it never will be."""
    async with camera([answer("404 Not Found")]) as (base, requests):
        with pytest.raises(PictureLost, match="404"):
            await media.fetch(f"{base}/a.jpg", tmp_path / "a.jpg")
    assert len(requests) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://x/a.jpg", "a.jpg", "http://[", "http://c:99999/"]
)
async def test_only_http_is_followed(media, tmp_path, url):
    """A camera names no file of this machine."""
    with pytest.raises(PictureLost, match="no http address"):
        await media.fetch(url, tmp_path / "a.jpg")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://c/drones/1/GP_0001_W.JPG", "GP_0001_W.JPG"),
        ("http://c/a/../../etc/passwd", "passwd"),
        ("http://c/%2e%2e%2f%2e%2e%2fpasswd", "passwd"),
        ("http://c/.hidden", "hidden"),
        ("http://c/a%20b?x=1", "a_b"),
        ("http://c/", "picture"),
    ],
)
def test_a_name_from_a_drone_does_no_harm(url, name):
    """It becomes a file of ours."""
    assert file_name(url) == name
    assert Path(file_name(url)).name == name
