"""A work order from its making to its rating, over HTTP and as a table."""

import io
from collections.abc import Callable
from itertools import product
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api import verification
from api.errors import BadRequest, Forbidden, IllegalMove
from api.orders import MOVES, Act, By, LookState, Order, OrderState, Verdict, Wish, allowed, moved
from api.services import Services
from api.store import orders
from api.verification import Outcome
from missions.clock import FakeClock
from tests.api.world import BORDER, FOREST, fire, report

Client = Callable[[str | None], httpx.AsyncClient]

EVERYTHING = Wish("why", "Team 1", Verdict.FALSE, 5)
WORDS = {"en-US": "clean", "zh-CN": "未见"}


def jpeg() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(made, "JPEG")
    return made.getvalue()


@pytest.mark.parametrize(("state", "act"), list(product(OrderState, Act)))
def test_every_act_in_every_state_moves_as_the_table_says_or_names_the_acts_there_are(
    state: OrderState, act: Act
) -> None:
    order = Order(state, look=LookState.IMPOSSIBLE, pictures=1)
    if (state, act) in MOVES:
        assert moved(order, act, EVERYTHING, by=By).state is MOVES[state, act][0]
        return
    with pytest.raises(IllegalMove) as refused:
        moved(order, act, EVERYTHING, by=By)
    assert set(refused.value.allowed) == set(allowed(order))


def test_each_move_is_for_those_the_table_names_alone() -> None:
    for (state, act), (_, who) in MOVES.items():
        order = Order(state, look=LookState.IMPOSSIBLE, pictures=1)
        for one in By:
            if one in who:
                moved(order, act, EVERYTHING, by=[one])
            else:
                with pytest.raises(Forbidden):
                    moved(order, act, EVERYTHING, by=[one])


@pytest.mark.parametrize(
    ("state", "act"),
    [
        (OrderState.NEW, Act.DISPATCH),
        (OrderState.ON_SITE, Act.RESOLVE),
        (OrderState.CLOSED, Act.RATE),
        (OrderState.CLOSED, Act.REOPEN),
    ],
)
def test_an_act_says_what_it_needs(state: OrderState, act: Act) -> None:
    with pytest.raises(BadRequest):
        moved(Order(state), act, Wish(), by=By)


def test_without_a_look_a_person_closes_only_where_none_is_possible_with_reason_and_picture() -> None:
    why = Wish(note="no dock reaches it")
    with pytest.raises(IllegalMove):
        moved(Order(OrderState.RESOLVED, look=LookState.ASKED, pictures=1), Act.CLOSE, why, by=[By.OFFICER])
    possible = Order(OrderState.RESOLVED, look=LookState.IMPOSSIBLE)
    with pytest.raises(BadRequest):
        moved(possible, Act.CLOSE, why, by=[By.OFFICER])
    shown = Order(OrderState.RESOLVED, look=LookState.IMPOSSIBLE, pictures=1)
    with pytest.raises(BadRequest):
        moved(shown, Act.CLOSE, Wish(), by=[By.OFFICER])
    assert moved(shown, Act.CLOSE, why, by=[By.OFFICER]).state is OrderState.CLOSED


async def made(services: Services, client: httpx.AsyncClient, place: Any = FOREST) -> dict[str, Any]:
    recorded = await report(services, 1, fire(1, place, area_m2=20.0))
    reply = await client.post(f"/v1/incidents/{recorded.incidents[0]}/orders", json={"note": "gate 4"})
    assert reply.status_code == 201, reply.text
    assert reply.headers["ETag"] == '"1"'
    return dict(reply.json())


async def act(client: httpx.AsyncClient, order: str, act: str, **wish: Any) -> httpx.Response:
    return await client.post(f"/v1/orders/{order}/{act}", json=wish)


async def settle(services: Services, incident: str, outcome: Outcome) -> None:
    """The look that was asked for has been flown."""
    now = services.clock.now()
    async with services.database.write() as session:
        request = await verification.open_request(session, incident)
        assert request is not None
        await verification.close(session, request, outcome, WORDS, now=now)
        await orders.settle_looks(session, now=now, watch=services.options.watch)


async def test_an_order_goes_all_the_way_to_its_rating(services: Services, client_of: Client) -> None:
    forestry = client_of("forestry")
    order = await made(services, forestry)
    assert (await act(forestry, order["id"], "dispatch", assignee="Team 3")).json()["assignee"] == "Team 3"
    assert (await act(forestry, order["id"], "arrive")).json()["state"] == "on_site"
    resolved = (await act(forestry, order["id"], "resolve", verdict="forest_fire")).json()
    assert (resolved["state"], resolved["look"]) == ("resolved", "asked")
    await settle(services, order["incident"], Outcome.CLEAN)
    verified = (await forestry.get(f"/v1/orders/{order['id']}")).json()
    assert (verified["state"], verified["look"], verified["allowed"]) == (
        "verified",
        "clear",
        ["close", "reopen"],
    )
    assert (await act(forestry, order["id"], "close")).json()["state"] == "closed"
    rated = (await act(forestry, order["id"], "rate", rating=4, note="quick")).json()
    assert (rated["state"], rated["rating"]) == ("rated", 4)
    acts = [step["act"] for step in rated["steps"]]
    assert acts == ["create", "dispatch", "arrive", "resolve", "verify", "close", "rate"]


async def test_a_fire_that_the_look_still_sees_opens_the_order_again(
    services: Services, client_of: Client
) -> None:
    forestry = client_of("forestry")
    order = await made(services, forestry)
    for name, wish in (("dispatch", {"assignee": "T"}), ("arrive", {}), ("resolve", {"verdict": "false"})):
        await act(forestry, order["id"], name, **wish)
    await settle(services, order["incident"], Outcome.SEEN)
    found = (await forestry.get(f"/v1/orders/{order['id']}")).json()
    assert found["state"] == "reopened"
    assert found["steps"][-1]["by"] == "service"


async def test_one_look_serves_the_orders_of_all_agencies(services: Services, client_of: Client) -> None:
    first = await made(services, client_of("forestry"), BORDER)
    reply = await client_of("village").post(f"/v1/incidents/{first['incident']}/orders", json={})
    second = reply.json()
    for client, order in ((client_of("forestry"), first), (client_of("village"), second)):
        for name, wish in (
            ("dispatch", {"assignee": "T"}),
            ("arrive", {}),
            ("resolve", {"verdict": "false"}),
        ):
            assert (await act(client, order["id"], name, **wish)).status_code == 200
    async with services.database.read() as session:
        assert len(await verification.requests_of(session, first["incident"])) == 1
    await settle(services, first["incident"], Outcome.CLEAN)
    for client, order in ((client_of("forestry"), first), (client_of("village"), second)):
        assert (await client.get(f"/v1/orders/{order['id']}")).json()["state"] == "verified"


async def test_where_the_look_tells_nothing_a_person_closes_with_reason_and_picture(
    services: Services, client_of: Client
) -> None:
    forestry = client_of("forestry")
    order = await made(services, forestry)
    for name, wish in (
        ("dispatch", {"assignee": "T"}),
        ("arrive", {}),
        ("resolve", {"verdict": "not_found"}),
    ):
        await act(forestry, order["id"], name, **wish)
    await settle(services, order["incident"], Outcome.NOT_SEEN)
    assert (await act(forestry, order["id"], "close", note="under trees")).status_code == 422
    shown = await forestry.post(f"/v1/orders/{order['id']}/pictures", files={"file": ("a.jpg", jpeg())})
    (picture,) = shown.json()["pictures"]
    assert (await act(forestry, order["id"], "close", note="under trees")).json()["state"] == "closed"
    kept = await forestry.get(f"/v1/orders/{order['id']}/pictures/{picture['id']}")
    assert kept.headers["content-type"] == "image/jpeg"
    assert (await client_of("village").get(kept.url.path)).status_code == 404


async def test_an_illegal_move_is_a_409_that_names_the_allowed_ones(
    services: Services, client_of: Client
) -> None:
    forestry = client_of("forestry")
    order = await made(services, forestry)
    reply = await act(forestry, order["id"], "close")
    assert reply.status_code == 409
    assert reply.json()["allowed"] == ["dispatch"]


async def test_a_stale_if_match_is_a_412_and_changes_nothing(services: Services, client_of: Client) -> None:
    forestry = client_of("forestry")
    order = await made(services, forestry)
    path = f"/v1/orders/{order['id']}"
    etag = (await forestry.get(path)).headers["ETag"]
    first = await forestry.patch(path, json={"assignee": "A"}, headers={"If-Match": etag})
    assert first.status_code == 200
    stale = await forestry.patch(path, json={"assignee": "B"}, headers={"If-Match": etag})
    assert stale.status_code == 412
    assert (await forestry.get(path)).json()["assignee"] == "A"
    assert first.headers["ETag"] != etag


async def test_others_see_no_order_but_the_lead_sees_all_of_its_incident(
    services: Services, client_of: Client
) -> None:
    forestry, village = client_of("forestry"), client_of("village")
    first = await made(services, forestry, BORDER)
    second = (await village.post(f"/v1/incidents/{first['incident']}/orders", json={})).json()
    assert second["lead"] == "forestry"
    assert {o["id"] for o in (await forestry.get("/v1/orders")).json()["orders"]} == {
        first["id"],
        second["id"],
    }
    assert {o["id"] for o in (await village.get("/v1/orders")).json()["orders"]} == {second["id"]}
    assert (await act(forestry, second["id"], "dispatch", assignee="T")).status_code == 403
    path = f"/v1/incidents/{first['incident']}/lead"
    assert (await village.put(path, json={"agency": "village"})).status_code == 403
    assert (await forestry.put(path, json={"agency": "village"})).json()["agency"] == "village"
    assert {o["id"] for o in (await village.get("/v1/orders")).json()["orders"]} == {
        first["id"],
        second["id"],
    }


async def test_an_agency_makes_no_order_on_ground_that_is_not_its_own(
    services: Services, client_of: Client
) -> None:
    recorded = await report(services, 1, fire(1, FOREST, area_m2=20.0))
    path = f"/v1/incidents/{recorded.incidents[0]}/orders"
    assert (await client_of("village").post(path, json={})).status_code == 404
    assert (await client_of("forestry").post(path, json={})).status_code == 201
    assert (await client_of("forestry").post(path, json={})).status_code == 409


async def test_the_checklist_of_the_hazard_is_ticked_off(services: Services, client_of: Client) -> None:
    forestry = client_of("forestry")
    order = await made(services, forestry)
    assert {"way_out", "mopped_up"} <= {entry["item"] for entry in order["checklist"]}
    path = f"/v1/orders/{order['id']}/checklist"
    ticked = (await forestry.put(f"{path}/wind", json={"done": True})).json()
    assert [e["item"] for e in ticked["checklist"] if e["done_at"]] == ["wind"]
    assert (await forestry.put(f"{path}/unicorn", json={"done": True})).status_code == 404


async def test_no_picture_is_taken_that_is_none(services: Services, client_of: Client) -> None:
    forestry = client_of("forestry")
    order = await made(services, forestry)
    path = f"/v1/orders/{order['id']}/pictures"
    assert (await forestry.post(path, files={"file": ("a.jpg", b"MZ")})).status_code == 422


async def test_history_cannot_be_changed_even_by_hand(services: Services, client_of: Client) -> None:
    await made(services, client_of("forestry"))
    for statement in ("UPDATE order_steps SET note = 'x'", "DELETE FROM order_steps"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with services.database.write() as session:
                await session.execute(text(statement))


async def test_the_same_key_makes_one_order_and_another_body_is_refused(
    services: Services, client_of: Client
) -> None:
    forestry = client_of("forestry")
    recorded = await report(services, 1, fire(1, FOREST, area_m2=20.0))
    path, key = f"/v1/incidents/{recorded.incidents[0]}/orders", {"Idempotency-Key": "k1"}
    first = await forestry.post(path, json={"note": "a"}, headers=key)
    again = await forestry.post(path, json={"note": "a"}, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (await forestry.post(path, json={"note": "b"}, headers=key)).status_code == 422
    # The key is this caller's alone.
    assert (await client_of("village").post(path, json={"note": "a"}, headers=key)).status_code == 404


async def test_a_fire_that_is_out_is_watched_every_few_hours(
    services: Services, client_of: Client, clock: FakeClock
) -> None:
    from api.roles.timekeeping import Timekeeper

    forestry = client_of("forestry")
    order = await made(services, forestry)
    for name, wish in (
        ("dispatch", {"assignee": "T"}),
        ("arrive", {}),
        ("resolve", {"verdict": "forest_fire"}),
    ):
        await act(forestry, order["id"], name, **wish)
    await settle(services, order["incident"], Outcome.CLEAN)
    await act(forestry, order["id"], "close")
    keeper = Timekeeper(services, "test")
    for number in range(services.options.watch.looks):
        clock.advance(services.options.watch.every_s + 1)
        assert await keeper.fire() >= 1
        async with services.database.read() as session:
            asked = await verification.open_request(session, order["incident"])
        assert asked is not None, number
        assert asked.purpose == "watch"
        await settle(services, order["incident"], Outcome.CLEAN)
    clock.advance(10 * services.options.watch.every_s)
    await keeper.fire()
    async with services.database.read() as session:
        assert await verification.open_request(session, order["incident"]) is None
