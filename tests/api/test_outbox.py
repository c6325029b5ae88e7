"""The outbox against a real receiver on this machine: signed, repeated, in order, never lost."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook

from api.delivery.outbox import FIRST_S, LONGEST_S, Outbox, backoff_s, next_try
from api.delivery.post import Post, judge_reply
from api.delivery.sender import Outcome
from api.delivery.webhook import WebhookSender
from api.services import Services
from api.store import outbox
from api.store.engine import open_database
from api.store.models import DeliveryRow
from api.store.outbox import GIVE_UP, Ending, Leased, Line, Try
from api.store.receivers import set_webhook
from api.store.tables.delivery import ReceiverRow, TryRow
from missions.clock import FakeClock
from tests.api.world import BORDER, FOREST, NOW, VILLAGE, fire, report

PATIENCE_S = 10.0


@dataclass
class Receiver:
    """An HTTP server that keeps what it gets and answers as told; `hangs` never answers."""

    status: int = 200
    extra: bytes = b""
    body: bytes = b"ok"
    hangs: bool = False
    got: list[tuple[dict[str, str], str]] = field(default_factory=list)
    port: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    open_lines: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open_lines.append(writer)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.got.append((headers, body.decode()))
        self.arrived.set()
        if self.hangs:
            await reader.read()
        else:
            size = str(len(self.body)).encode()
            writer.write(b"HTTP/1.1 %d x\r\nContent-Length: %s\r\n%s\r\n" % (self.status, size, self.extra))
            with suppress(ConnectionError):
                writer.write(self.body)
                await writer.drain()
        writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


@asynccontextmanager
async def listening(receiver: Receiver) -> AsyncIterator[Receiver]:
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", receiver.port)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for line in receiver.open_lines:
            line.close()


@asynccontextmanager
async def working(services: Services, *, timeout_s: float = 5.0) -> AsyncIterator[None]:
    """A delivery worker, stopped on leaving."""
    async with Post(services.options.allowed_networks, timeout_s=timeout_s) as post:
        senders = {"webhook": WebhookSender(post)}
        worker = asyncio.create_task(Outbox(services, senders, chance=random.Random(1)).run())
        try:
            yield
        finally:
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker


async def until(services: Services, true: Callable[[Services], Awaitable[bool]]) -> None:
    """Wait until something holds; the worker rings the bell whenever it has settled a try."""
    services.feed.wake()
    async with asyncio.timeout(PATIENCE_S):
        with services.feed.listen() as bell:
            while not await true(services):
                await bell.wait(0.5)


async def deliveries(services: Services) -> list[DeliveryRow]:
    async with services.database.read() as session:
        return list(await session.scalars(select(DeliveryRow).order_by(DeliveryRow.seq)))


def settled(*states: str) -> Callable[[Services], Awaitable[bool]]:
    async def check(services: Services) -> bool:
        return [d.state for d in await deliveries(services)] == list(states)

    return check


def tried(attempts: int) -> Callable[[Services], Awaitable[bool]]:
    async def check(services: Services) -> bool:
        (row,) = await deliveries(services)
        line = await line_of(services, row.receiver)
        return row.attempts == attempts and line.lease is None

    return check


async def line_of(services: Services, receiver: str) -> ReceiverRow:
    async with services.database.read() as session:
        return await session.get_one(ReceiverRow, receiver)


async def lease(services: Services) -> list[Line]:
    async with services.database.write() as session:
        return await outbox.lease_due(session, now=services.clock.now(), ttl_s=60, limit=10)


async def log_of(services: Services) -> list[TryRow]:
    async with services.database.read() as session:
        return list(await session.scalars(select(TryRow).order_by(TryRow.seq)))


async def hook(services: Services, agency: str, url: str) -> str:
    async with services.database.write() as session:
        return await set_webhook(session, agency, url, now=NOW)


async def test_an_alert_arrives_signed_and_as_a_cloud_event(services: Services) -> None:
    async with listening(Receiver()) as receiver, working(services):
        secret = await hook(services, "forestry", receiver.url)
        await report(services, 1, fire(1, FOREST))
        await until(services, settled("delivered"))
    ((headers, body),) = receiver.got
    event = Webhook(secret).verify(body, headers)
    assert headers["content-type"] == "application/cloudevents+json"
    assert (event["specversion"], event["type"]) == ("1.0", "gridpatrol.alert.raised")
    assert event["id"] == headers["webhook-id"]
    assert event["data"]["alert"]["title"]["zh-CN"].startswith("疑似火情：")
    assert event["data"]["incident"]["agencies"] == ["forestry"]
    ring = event["data"]["outline"]["coordinates"][0]
    assert ring[0] == ring[-1]
    assert len(body.encode()) < 20_000


async def test_a_receiver_that_was_down_gets_the_message_after_a_restart_of_the_service(
    services: Services, clock: FakeClock
) -> None:
    """The same id and the same bytes, from another process's worker on the same database."""
    receiver = Receiver()
    async with listening(receiver):
        pass
    await hook(services, "forestry", receiver.url)
    await report(services, 1, fire(1, FOREST))
    async with working(services):
        await until(services, tried(1))
    (waiting,) = await deliveries(services)
    assert "no connection" in (waiting.last_error or "")
    url = services.database.engine.url.render_as_string(hide_password=False)
    await services.database.close()

    again = replace(services, database=await open_database(url))
    clock.advance(FIRST_S)
    async with listening(receiver), working(again):
        await until(again, settled("delivered"))
    await again.database.close()
    assert receiver.ids == [waiting.id]
    assert receiver.got[0][1] == waiting.body


async def test_a_worker_killed_in_the_middle_of_a_try_is_followed_by_another(
    services: Services, clock: FakeClock
) -> None:
    async with listening(Receiver()) as receiver:
        await hook(services, "forestry", receiver.url)
        await report(services, 1, fire(1, FOREST))
        (line,) = await lease(services)  # and its worker is gone
        clock.advance(59)
        assert not await lease(services), "still leased"
        clock.advance(2)
        async with working(services):
            await until(services, settled("delivered"))
    assert receiver.ids == [line.messages[0].id]


async def test_a_worker_told_to_stop_gives_its_lines_back_at_once(services: Services) -> None:
    async with listening(Receiver(hangs=True)) as receiver:
        await hook(services, "forestry", receiver.url)
        await report(services, 1, fire(1, FOREST))
        async with working(services), asyncio.timeout(PATIENCE_S):
            await receiver.arrived.wait()
    assert await lease(services)


async def test_a_lease_is_renewed_while_its_line_is_worked_off(services: Services, clock: FakeClock) -> None:
    await hook(services, "forestry", "http://127.0.0.1:9/")
    await report(services, 1, fire(1, FOREST))
    (line,) = await lease(services)
    clock.advance(59)
    async with services.database.write() as session:
        await outbox.renew(session, [line], now=clock.now(), ttl_s=60)
    clock.advance(59)
    assert not await lease(services)


async def test_every_try_carries_the_same_id_until_it_succeeds(services: Services, clock: FakeClock) -> None:
    async with listening(Receiver(status=500)) as receiver, working(services):
        await hook(services, "forestry", receiver.url)
        await report(services, 1, fire(1, FOREST))
        for attempt in (1, 2, 3):
            await until(services, tried(attempt))
            clock.advance(LONGEST_S)
        await until(services, tried(4))
        receiver.status = 200
        clock.advance(LONGEST_S)
        await until(services, settled("delivered"))
    assert len(receiver.ids) == 5
    assert len(set(receiver.ids)) == 1


async def test_a_receiver_that_hangs_holds_up_nobody_else(services: Services) -> None:
    async with (
        listening(Receiver(hangs=True)) as stuck,
        listening(Receiver()) as healthy,
        working(services, timeout_s=0.5),
    ):
        await hook(services, "forestry", stuck.url)
        await hook(services, "village", healthy.url)
        await report(services, 1, fire(1, BORDER, area_m2=20.0))
        await until(services, settled("pending", "delivered"))
        await until(services, gave_up_waiting)


async def gave_up_waiting(services: Services) -> bool:
    return any(d.last_error == "no answer within 0.5 s" for d in await deliveries(services))


async def test_messages_to_one_receiver_keep_their_order_and_a_new_one_hurries_the_line(
    services: Services, clock: FakeClock
) -> None:
    async with listening(Receiver(status=503)) as receiver, working(services):
        await hook(services, "forestry", receiver.url)
        await report(services, 1, fire(1, FOREST))
        await until(services, tried(1))
        receiver.status = 200
        # No time passes: it is the second alert that makes the first one due.
        await report(services, 2, fire(2, FOREST, area_m2=60.0))
        services.feed.wake()
        await until(services, settled("delivered", "delivered"))
    kinds = [json.loads(body)["type"] for _, body in receiver.got]
    assert kinds == ["gridpatrol.alert.raised", "gridpatrol.alert.raised", "gridpatrol.alert.updated"]


async def test_a_receiver_that_is_gone_is_sent_nothing_more(services: Services) -> None:
    async with listening(Receiver(status=410)) as receiver, working(services):
        await hook(services, "forestry", receiver.url)
        await report(services, 1, fire(1, FOREST))
        await until(services, settled("failed"))
        await report(services, 2, fire(2, VILLAGE), fire(3, FOREST, area_m2=60.0))
        assert len(await deliveries(services)) == 1
    async with services.database.read() as session:
        assert (await session.get_one(ReceiverRow, "forestry-webhook")).disabled_reason


async def test_a_redirect_is_not_followed(services: Services) -> None:
    async with listening(Receiver()) as elsewhere:
        moved = Receiver(status=302, extra=f"Location: {elsewhere.url}\r\n".encode())
        async with listening(moved), working(services):
            await hook(services, "forestry", moved.url)
            await report(services, 1, fire(1, FOREST))
            await until(services, tried(1))
        assert not elsewhere.got
    (entry,) = await log_of(services)
    assert (entry.status, entry.error) == (302, "the receiver answered 302: redirects are not followed")


async def test_a_reply_without_end_is_cut_off(services: Services) -> None:
    async with listening(Receiver(body=b"x" * 50_000_000)) as receiver, working(services):
        await hook(services, "forestry", receiver.url)
        await report(services, 1, fire(1, FOREST))
        await until(services, settled("delivered"))
    (entry,) = await log_of(services)
    assert entry.note == "the reply was cut off after 64 kB"


async def test_a_forbidden_address_is_never_called_and_the_message_is_kept(strict: Services) -> None:
    async with listening(Receiver()) as receiver, working(strict):
        await hook(strict, "forestry", receiver.url)
        await report(strict, 1, fire(1, FOREST))
        await until(strict, tried(1))
    assert not receiver.got
    (row,) = await deliveries(strict)
    assert row.state == "pending"
    assert "not a public address" in (row.last_error or "")


async def test_a_lease_lost_meanwhile_settles_nothing(services: Services, clock: FakeClock) -> None:
    """The fence of a delivery: a worker that slept through its lease must not overrule the next."""
    await hook(services, "forestry", "http://127.0.0.1:9/")
    await report(services, 1, fire(1, FOREST))
    (first,) = await lease(services)
    clock.advance(61)
    (second,) = await lease(services)
    slept, woke = (Try(line.messages[0], at=clock.now(), took_ms=1.0) for line in (first, second))
    async with services.database.write() as session:
        lost = await outbox.settle(session, [slept], [Ending(first, clock.now(), 0)], now=clock.now())
        assert lost == {"forestry-webhook"}
        assert not await outbox.settle(session, [woke], [Ending(second, clock.now(), 0)], now=clock.now())
    (entry,) = await log_of(services)
    assert entry.attempt == 1


def test_the_waits_double_to_an_hour_and_are_spread() -> None:
    assert [backoff_s(n, 1.0) for n in (1, 2, 3)] == [5.0, 10.0, 20.0]
    assert backoff_s(1, 0.0) == 2.5
    assert backoff_s(10_000, 1.0) == LONGEST_S


def message() -> Leased:
    return Leased("m", "r", "l", "a", "webhook", "{}", 1, NOW + GIVE_UP, "", "en-US", ())


@pytest.mark.parametrize(
    ("outcome", "age", "tries_again"),
    [
        (Outcome(error="x"), timedelta(0), True),
        (Outcome(error="x"), GIVE_UP, False),
        (Outcome(error="x", can_retry=False), timedelta(0), False),
    ],
)
def test_giving_up_is_decided_here_and_not_by_the_sender(
    outcome: Outcome, age: timedelta, tries_again: bool
) -> None:
    again = next_try(message(), outcome, failures=1, now=NOW + age, chance=0.5)
    assert (again is not None) is tries_again


def test_the_last_try_is_made_when_the_time_is_over() -> None:
    nearly = NOW + GIVE_UP - timedelta(seconds=1)
    assert next_try(message(), Outcome("x"), failures=9, now=nearly, chance=0.5) == NOW + GIVE_UP


@pytest.mark.parametrize(
    ("status", "retry_after", "expected"),
    [
        (200, None, Outcome(status=200)),
        (404, None, Outcome("the receiver answered 404", status=404)),
        (413, None, Outcome("the receiver answered 413", can_retry=False, status=413)),
        (429, "120", Outcome("the receiver answered 429", retry_after_s=120.0, status=429)),
        (503, "soon", Outcome("the receiver answered 503", status=503)),
    ],
)
def test_a_status_says_whether_trying_again_can_help(
    status: int, retry_after: str | None, expected: Outcome
) -> None:
    assert judge_reply(status, retry_after) == expected


async def test_a_webhook_that_was_replaced_gets_what_still_waits(
    services: Services, clock: FakeClock
) -> None:
    await hook(services, "forestry", "http://127.0.0.1:9/")
    await report(services, 1, fire(1, FOREST))
    async with listening(Receiver()) as receiver, working(services):
        secret = await hook(services, "forestry", receiver.url)
        await until(services, settled("delivered"))
    headers, body = receiver.got[-1]
    Webhook(secret).verify(body, headers)
