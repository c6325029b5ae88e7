"""Receivers, the delivery log and dead letters over the API; whom it concerns and what is written down."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from api import audit
from api.delivery.outbox import AT_ONCE, BREAKS_AFTER, SUSPECTS
from api.services import Services
from api.store import outbox, receivers
from api.store.outbox import Ending, Try
from missions.clock import FakeClock
from tests.api.test_outbox import (
    Receiver,
    hook,
    lease,
    listening,
    settled,
    tried,
    until,
    working,
)
from tests.api.world import FOREST, NOW, fire, report

Client = Callable[[str | None], httpx.AsyncClient]


async def test_an_agency_adds_a_receiver_is_told_there_and_takes_it_away(
    services: Services, client_of: Client
) -> None:
    forestry = client_of("forestry")
    async with listening(Receiver()) as receiver, working(services):
        wish = {"channel": "webhook", "address": receiver.url, "language": "en-US"}
        made = await forestry.post("/v1/agencies/forestry/receivers", json=wish)
        assert made.status_code == 201
        assert made.json()["secret"].startswith("whsec_")
        await report(services, 1, fire(1, FOREST))
        await until(services, settled("delivered"))
    (seen,) = (await forestry.get("/v1/receivers")).json()["receivers"]
    assert "secret" not in seen
    assert (await client_of("village").get("/v1/receivers")).json()["receivers"] == []
    mine = f"/v1/receivers/{seen['id']}"
    assert (await client_of("village").delete(mine)).status_code == 404
    assert (await forestry.delete(mine)).status_code == 204
    assert (await forestry.get("/v1/receivers")).json()["receivers"] == []


@pytest.mark.parametrize(
    "wish",
    [
        {"channel": "mail", "address": "not set up here"},
        {"channel": "webhook", "address": "http://10.0.0.1/"},
        {"channel": "webhook", "address": "ftp://example.com/"},
        {"channel": "pigeon", "address": "loft"},
    ],
)
async def test_a_receiver_that_cannot_be_is_refused(client_of: Client, wish: dict[str, str]) -> None:
    answer = await client_of("forestry").post("/v1/agencies/forestry/receivers", json=wish)
    assert answer.status_code == 422
    other = await client_of("village").post("/v1/agencies/forestry/receivers", json=wish)
    assert other.status_code in (404, 422)


async def test_a_changed_secret_and_the_one_before_both_count_for_a_day(
    services: Services, client_of: Client, clock: FakeClock
) -> None:
    old = await hook(services, "forestry", "http://127.0.0.1:9/")
    answer = await client_of("forestry").post("/v1/receivers/forestry-webhook/secret")
    new = answer.json()["secret"]
    await report(services, 1, fire(1, FOREST))
    (line,) = await lease(services)
    assert line.messages[0].secrets == (new, old)
    clock.advance(86_401)
    (line,) = await lease(services)
    assert line.messages[0].secrets == (new,)


async def test_the_delivery_log_says_how_each_try_went(services: Services, client_of: Client) -> None:
    async with listening(Receiver(status=413)) as receiver, working(services):
        await hook(services, "forestry", receiver.url)
        await report(services, 1, fire(1, FOREST))
        await until(services, settled("failed"))
    (dead,) = (await client_of("forestry").get("/v1/deliveries?state=failed")).json()["deliveries"]
    whole = (await client_of("forestry").get(f"/v1/deliveries/{dead['id']}")).json()
    (entry,) = whole["tries"]
    assert (entry["status"], entry["error"]) == (413, "the receiver answered 413")
    assert entry["took_ms"] > 0
    assert (await client_of("village").get(f"/v1/deliveries/{dead['id']}")).status_code == 404


async def test_a_dead_letter_goes_again_by_hand_under_its_own_id(
    services: Services, client_of: Client
) -> None:
    async with listening(Receiver(status=415)) as receiver, working(services):
        await hook(services, "forestry", receiver.url)
        await report(services, 1, fire(1, FOREST))
        await until(services, settled("failed"))
        receiver.status = 200
        (dead,) = (await client_of("forestry").get("/v1/deliveries?state=failed")).json()["deliveries"]
        path = f"/v1/deliveries/{dead['id']}/replay"
        assert (await client_of("forestry").post(path)).json()["state"] == "pending"
        await until(services, settled("delivered"))
        assert (await client_of("forestry").post(path)).status_code == 409
    assert receiver.ids == [dead["id"]] * 2
    async with services.database.read() as session:
        actions = [entry.action for entry in await audit.page(session)]
    assert "delivery.replay" in actions


async def test_all_dead_letters_of_a_receiver_go_again_in_their_order(
    services: Services, client_of: Client
) -> None:
    async with listening(Receiver(status=415)) as receiver, working(services):
        await hook(services, "forestry", receiver.url)
        await report(services, 1, fire(1, FOREST))
        await report(services, 2, fire(2, FOREST, area_m2=60.0))
        await until(services, settled("failed", "failed"))
        first = list(receiver.ids)
        receiver.status = 200
        answer = await client_of("forestry").post("/v1/receivers/forestry-webhook/replay")
        assert answer.json() == {"replayed": 2}
        await until(services, settled("delivered", "delivered"))
    assert receiver.ids[-2:] == first


async def test_an_open_breaker_is_hurried_by_no_new_message(services: Services, clock: FakeClock) -> None:
    await hook(services, "forestry", "http://127.0.0.1:9/")
    await report(services, 1, fire(1, FOREST))
    (line,) = await lease(services)
    later = clock.now().replace(hour=5)
    ending = Ending(line, next_try_at=later, failures=BREAKS_AFTER, open_until=clock.now().replace(minute=1))
    async with services.database.write() as session:
        failed = Try(line.messages[0], clock.now(), 1.0, error="no answer")
        await outbox.settle(session, [failed], [ending], now=clock.now())
    await report(services, 2, fire(2, FOREST, area_m2=60.0))
    assert not await lease(services), "the breaker is open"
    clock.advance(60)
    assert await lease(services), "and closes long before the back-off ends"


async def test_many_that_hang_leave_hands_for_those_that_answer(services: Services) -> None:
    """A hundred receivers that failed last time get no more than their share of a worker's hands."""
    assert SUSPECTS < AT_ONCE / 2
    async with services.database.write() as session:
        for number in range(SUSPECTS + 5):
            row = await receivers.add(
                session, "forestry", channel="webhook", address=f"http://127.0.0.1:{number}/", now=NOW
            )
            row.failures = 1
        await receivers.add(session, "forestry", channel="webhook", address="http://127.0.0.1:9/", now=NOW)
    await report(services, 1, fire(1, FOREST))
    async with services.database.write() as session:
        lines = await outbox.lease_due(session, now=NOW, ttl_s=60, limit=AT_ONCE, suspects=SUSPECTS)
    assert sum(line.failures > 0 for line in lines) == SUSPECTS
    assert sum(line.failures == 0 for line in lines) == 1


async def test_a_channel_that_is_not_set_up_keeps_its_messages(services: Services) -> None:
    async with services.database.write() as session:
        await receivers.add(session, "forestry", channel="mail", address="a@b", now=NOW)
    await report(services, 1, fire(1, FOREST))
    async with working(services):
        await until(services, tried(1))
    (line,) = await lease(replace(services, clock=FakeClock(NOW.replace(hour=3))))
    assert line.messages[0].attempt == 2
