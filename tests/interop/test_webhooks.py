"""Webhooks as anybody's program takes them: verified by `standardwebhooks`, refused where they may not go."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from standardwebhooks import Webhook, WebhookVerificationError

from api.delivery.post import Post
from api.delivery.signing import Signer, open_signer
from api.delivery.webhook import WebhookSender
from tests.interop.receiving import BODY, LOOPBACK, desk, leased

OLD, NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


async def test_the_librarys_own_verifier_accepts_every_message() -> None:
    async with desk() as receiver, Post(LOOPBACK) as post:
        for number in range(20):
            message = leased("webhook", receiver.url, id=f"msg_{number}", secrets=(NEW,))
            assert (await WebhookSender(post).send(message)).error is None
    for request in receiver.got:
        assert Webhook(NEW).verify(request.body.decode(), request.headers) == json.loads(BODY)
        assert request.headers["content-type"] == "application/cloudevents+json"


async def test_while_a_secret_is_changed_both_readers_can_verify() -> None:
    async with desk() as receiver, Post(LOOPBACK) as post:
        await WebhookSender(post).send(leased("webhook", receiver.url, secrets=(NEW, OLD)))
    (request,) = receiver.got
    for secret in (NEW, OLD):
        Webhook(secret).verify(request.body.decode(), request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_AAAA").verify(request.body.decode(), request.headers)


async def test_a_redirect_is_told_and_not_followed() -> None:
    async with desk() as elsewhere, desk(status=307) as receiver, Post(LOOPBACK) as post:
        outcome = await WebhookSender(post).send(leased("webhook", receiver.url))
    assert (outcome.status, outcome.error) == (307, "the receiver answered 307: redirects are not followed")
    assert not elsewhere.got


async def test_ten_gigabytes_of_reply_are_cut_off_at_once() -> None:
    """The receiver announces them and writes for as long as anybody reads."""
    written = 0

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                written += 65536
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Post(LOOPBACK) as post, asyncio.timeout(5):
        outcome = await WebhookSender(post).send(leased("webhook", f"http://127.0.0.1:{port}/"))
    assert (outcome.error, outcome.note) == (None, "the reply was cut off after 64 kB")
    assert written < 50_000_000


@asynccontextmanager
async def https(certificate: Signer, folder: Path) -> AsyncIterator[int]:
    """Yield the port of an HTTPS server with a certificate of nobody's authority."""
    pem = certificate.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "server.pem"
    file.write_bytes(pem + certificate.certificate_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise AssertionError("a request came over a certificate that nobody vouches for")

    server = await asyncio.start_server(never, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    signer = open_signer(tmp_path / "own.pem", name="127.0.0.1")
    async with https(signer, tmp_path) as port, Post(LOOPBACK) as post:
        outcome = await WebhookSender(post).send(leased("webhook", f"https://127.0.0.1:{port}/"))
    assert "the certificate is refused: self-signed certificate" in (outcome.error or "")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
    ],
)
async def test_an_address_inside_is_refused_unless_it_is_allowed(url: str) -> None:
    async with Post() as post:
        outcome = await WebhookSender(post).send(leased("webhook", url))
    assert "not a public address" in (outcome.error or "")


async def test_no_proxy_of_the_environment_gets_between(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk() as receiver, Post(LOOPBACK) as post:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        assert (await WebhookSender(post).send(leased("webhook", receiver.url))).error is None


async def test_a_kept_connection_that_was_closed_costs_no_failure() -> None:
    """The receiver says keep-alive and hangs up all the same."""
    served = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        await reader.readexactly(length)
        served += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, Post(LOOPBACK) as post:
        for _ in range(5):
            assert (await WebhookSender(post).send(leased("webhook", url))).error is None
    assert served == 5
