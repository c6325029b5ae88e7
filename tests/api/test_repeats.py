"""Every route that changes something, walked by its own description: repeats, old versions, wrong moves."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from api.app import create_app
from api.services import Services
from api.store.models import DeliveryRow
from api.store.plans import save_plan
from tests.api.test_orders import jpeg
from tests.api.test_rights import BODIES, NAMES, OFFICES, RIGHTS
from tests.api.test_sorties import hear, plan, told
from tests.api.world import FOREST, NOW, fire, report

Client = Callable[[str | None], httpx.AsyncClient]

POSTS = [path for method, path in RIGHTS if method == "POST"]
NEVER_KEPT = {"/v1/session", "/v1/login"}
"""A refused login is no answer to be given again; one that succeeds is another session each time."""


def description(services: Services) -> Mapping[str, Any]:
    found: Mapping[str, Any] = create_app(services).openapi()["paths"]
    return found


def test_every_post_names_the_header_in_the_description(services: Services) -> None:
    for path, methods in description(services).items():
        named = {parameter["name"] for parameter in methods.get("post", {}).get("parameters", [])}
        assert "post" not in methods or "Idempotency-Key" in named, path


async def test_a_post_with_a_key_is_answered_again_as_it_was_and_not_with_another_body(
    client_of: Client,
) -> None:
    for path in set(POSTS) - NEVER_KEPT:
        office = next(iter(OFFICES.get(("POST", path), {"operator"})))
        who = "gateway" if path in ("/v1/frames", "/v1/observations") else office
        client, key = client_of(who), {"Idempotency-Key": "once"}
        filled = path.format_map({**NAMES, "action": "pause"})
        body = BODIES.get(("POST", path), {})
        first = await client.post(filled, json=body, headers=key)
        again = await client.post(filled, json=body, headers=key)
        assert again.headers.get("idempotent-replayed") == "true", (path, first.status_code, again.text)
        assert (again.status_code, again.content) == (first.status_code, first.content), path
        other = await client.post(filled, json={"another": "body"}, headers=key)
        assert other.status_code == 422, path
        assert "was used for another body" in other.json()["message"], path


@pytest.fixture
async def names(services: Services, client_of: Client) -> dict[str, str]:
    """A real thing of forestry for each name in a path."""
    forestry = client_of("forestry")
    await forestry.put("/v1/agencies/forestry/webhook", json={"url": "http://127.0.0.1:9/hook"})
    recorded = await report(services, 1, fire(1, FOREST, area_m2=20.0))
    incident = recorded.incidents[0]
    order = (await forestry.post(f"/v1/incidents/{incident}/orders", json={})).json()
    form = {"service_code": "fire", "lat": str(FOREST.lat_deg), "long": str(FOREST.lon_deg)}
    made = (await client_of(None).post("/v1/reports", data=form)).json()
    delivery = (await forestry.get("/v1/deliveries")).json()["deliveries"][0]
    return {
        **NAMES,
        "incident_id": incident,
        "alert_id": recorded.alerts[0],
        "order_id": order["id"],
        "item": order["checklist"][0]["item"],
        "report_id": made["id"],
        "delivery_id": delivery["id"],
        "act": "dispatch",
    }


async def test_whatever_takes_if_match_refuses_an_old_version_and_changes_nothing(
    services: Services, client_of: Client, names: dict[str, str]
) -> None:
    forestry, walked = client_of("forestry"), 0
    for path, methods in description(services).items():
        for method, operation in methods.items():
            if "if-match" not in {p["name"].lower() for p in operation.get("parameters", [])}:
                continue
            walked += 1
            where, stale = path.format_map(names), {"If-Match": '"999"'}
            if path.endswith("/pictures"):
                reply = await forestry.post(where, files={"file": ("a.jpg", jpeg())}, headers=stale)
            else:
                body = BODIES.get((method.upper(), path), {})
                reply = await forestry.request(method, where, json=body, headers=stale)
            assert reply.status_code == 412, (method, path, reply.text)
    assert walked >= 10
    for kind in ("alert", "order", "report"):
        reply = await forestry.get(f"/v1/{kind}s/{names[f'{kind}_id']}")
        assert reply.headers["etag"], kind
        assert reply.json()["state"] in ("raised", "new", "received")


async def test_a_move_that_is_none_is_a_409_with_the_moves_there_are(
    services: Services, client_of: Client, names: dict[str, str]
) -> None:
    async with services.database.write() as session:
        await save_plan(session, plan(sorties=2), services.site, now=NOW)
        await session.execute(update(DeliveryRow).values(state="delivered"))
    await client_of("operator").post("/v1/sorties/P1-S1/launch")
    await hear(services, told("flying"))
    under_way = ["pause", "resume", "recall", "divert", "abort"]
    incident, alert = f"/v1/incidents/{names['incident_id']}", f"/v1/alerts/{names['alert_id']}"
    tries: list[tuple[str, str, dict[str, Any], list[str]]] = [
        ("forestry", f"/v1/orders/{names['order_id']}/arrive", {}, ["dispatch"]),
        ("forestry", f"{alert}/unshelve", {}, ["acknowledge", "shelve", "cancel"]),
        ("forestry", f"{incident}/withdraw", {"person": "Wang"}, ["release"]),
        ("forestry", f"{incident}/hold/lift", {}, ["hold"]),
        ("forestry", f"/v1/deliveries/{names['delivery_id']}/replay", {}, []),
        ("operator", "/v1/sorties/P1-S2/pause", {}, ["launch"]),
        ("operator", "/v1/sorties/P1-S2/divert", {"to": "dock-east"}, ["launch"]),
        ("operator", "/v1/sorties/P1-S1/launch", {}, under_way),
        ("operator", "/v1/sorties/P1-S1/rest", {}, under_way),
    ]
    for who, path, body, expected in tries:
        reply = await client_of(who).post(path, json=body)
        assert (reply.status_code, reply.json().get("error")) == (409, "illegal_move"), (path, reply.text)
        assert set(reply.json()["allowed"]) == set(expected), path
    await client_of("forestry").post(f"{incident}/release", json={"person": "Wang"})
    again = await client_of("forestry").post(f"{incident}/release", json={"person": "Li"})
    assert again.json()["allowed"] == ["withdraw"]
    await client_of("forestry").post(f"/v1/reports/{names['report_id']}/reject", json={"note": "a kitchen"})
    accepted = await client_of("forestry").post(f"/v1/reports/{names['report_id']}/accept", json={})
    assert (accepted.status_code, accepted.json()["allowed"]) == (409, [])
