"""Every route that changes something, walked by its own description: repeats, old versions, wrong moves."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from api.app import create_app
from api.services import Services
from api.store.models import DeliveryRow
from api.store.plans import save_plan
from api.store.tables.orders import AnsweredRow
from api.store.tables.witnesses import KnownSourceRow
from tests.api.test_orders import jpeg
from tests.api.test_reports import SMOKE
from tests.api.test_rights import BODIES, NAMES, OFFICES, RIGHTS
from tests.api.test_sorties import hear, plan, told
from tests.api.world import FOREST, NOW, fire, report

Client = Callable[[str | None], httpx.AsyncClient]

POSTS = [path for method, path in RIGHTS if method == "POST"]
NEVER_KEPT = {"/v1/session", "/v1/login"}
"""A refused login is no answer to be given again; one that succeeds is another session each time."""

UNSTAMPED: Mapping[str, str] = {
    "DELETE /v1/session": "a session is only ended",
    "DELETE /v1/account/sessions/{session_id}": "a session is only ended",
    "DELETE /v1/sessions/{session_id}": "a session is only ended",
    "DELETE /v1/keys/{key_id}": "a key is only ended",
    "PUT /v1/account/password": "the old password is named",
    "POST /v1/agencies/{agency_id}/receivers": "makes something new",
    "POST /v1/incidents/{incident_id}/orders": "makes something new",
    "POST /v1/incidents/{incident_id}/looks": "makes something new",
    "POST /v1/baselines/{place}/{version}/confirm": "what stands already stands on",
    "POST /v1/reports/track/{code}/rate": "a report is rated once: 409 after that",
    "POST /open311/v2/requests.{form}": "makes something new",
    "POST /v1/sorties/{sortie_id}/launch": "a sortie changes by itself: 409 with the moves there are",
    "POST /v1/sorties/{sortie_id}/divert": "a sortie changes by itself: 409 with the moves there are",
    "POST /v1/sorties/{sortie_id}/abort": "a sortie changes by itself: 409 with the moves there are",
    "POST /v1/sorties/{sortie_id}/follow": "a sortie changes by itself: 409 with the moves there are",
    "POST /v1/sorties/{sortie_id}/rest": "makes something new",
    "POST /v1/sorties/{sortie_id}/{action}": "a sortie changes by itself: 409 with the moves there are",
}
"""What changes something and takes no If-Match, and why."""


MUTE = {"hazards": ["flood"], "reason": "sluice open", "ends_at": (NOW + timedelta(hours=2)).isoformat()}


def mask(name: str) -> KnownSourceRow:
    """Ground that forestry has masked."""
    return KnownSourceRow(
        id=name, agency="forestry", name="kiln", lat_deg=FOREST.lat_deg, lon_deg=FOREST.lon_deg,
        radius_m=60.0, owner="forestry desk", until_at=NOW + timedelta(days=2),
    )  # fmt: skip


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


async def test_what_is_kept_of_an_answer_opens_for_nobody_else(services: Services, client_of: Client) -> None:
    """It may hold a secret; strangers with the same key have nothing to do with each other."""
    key, told = {"Idempotency-Key": "1"}, []
    for text in ("smoke behind the school", "a house on fire"):
        body = {**SMOKE, "description": text}
        told.append(await client_of(None).post("/v1/reports", data=body, headers=key))
    assert [reply.status_code for reply in told] == [201, 201], told[-1].text
    async with services.database.read() as session:
        kept = [row.body for row in await session.scalars(select(AnsweredRow))]
    assert len(kept) == 2
    assert not any(reply.json()["code"].encode() in body for reply in told for body in kept)


def test_whatever_changes_a_thing_takes_if_match_or_says_why_not(services: Services) -> None:
    takes: set[str] = set()
    lacks: set[str] = set()
    for path, methods in description(services).items():
        for method, operation in methods.items():
            if method in ("put", "patch", "delete") or (method == "post" and "{" in path):
                named = {p["name"].lower() for p in operation.get("parameters", [])}
                (takes if "if-match" in named else lacks).add(f"{method.upper()} {path}")
    assert lacks == set(UNSTAMPED)
    assert len(takes) >= 28


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
    mute = (await forestry.post("/v1/mutes", json=MUTE)).json()
    account = (await client_of("security").post("/v1/accounts", json=BODIES["POST", "/v1/accounts"])).json()
    async with services.database.write() as session:
        session.add(mask(f"order-{order['id']}"))
    return {
        **NAMES,
        "incident_id": incident,
        "alert_id": recorded.alerts[0],
        "order_id": order["id"],
        "item": order["checklist"][0]["item"],
        "report_id": made["id"],
        "delivery_id": delivery["id"],
        "receiver_id": "forestry-webhook",
        "mute_id": mute["id"],
        "mask_id": f"order-{order['id']}",
        "account_id": account["id"],
        "act": "dispatch",
    }


async def test_whatever_takes_if_match_refuses_an_old_version_and_changes_nothing(
    services: Services, client_of: Client, names: dict[str, str]
) -> None:
    forestry = client_of("forestry")
    for path, methods in description(services).items():
        for method, operation in methods.items():
            if "if-match" not in {p["name"].lower() for p in operation.get("parameters", [])}:
                continue
            where, stale = path.format_map(names), {"If-Match": '"999"'}
            if path.endswith("/pictures"):
                reply = await forestry.post(where, files={"file": ("a.jpg", jpeg())}, headers=stale)
            else:
                office = next(iter(OFFICES.get((method.upper(), path), {"forestry"})))
                body = BODIES.get((method.upper(), path), {})
                reply = await client_of(office).request(method, where, json=body, headers=stale)
            assert reply.status_code == 412, (method, path, reply.text)
    for kind in ("alert", "order", "report"):
        reply = await forestry.get(f"/v1/{kind}s/{names[f'{kind}_id']}")
        assert reply.headers["etag"], kind
        assert reply.json()["state"] in ("raised", "new", "received")
    assert len((await forestry.get("/v1/mutes")).json()["mutes"]) == 1
    assert (await forestry.get("/v1/releases")).json() == {"releases": []}


async def test_the_etag_of_a_list_is_taken_and_an_older_one_is_stale(
    client_of: Client, names: dict[str, str]
) -> None:
    forestry, security = client_of("forestry"), client_of("security")
    incident = f"/v1/incidents/{names['incident_id']}"
    released = await forestry.post(f"{incident}/release", json={"person": "Wang"})
    await forestry.post(f"{incident}/hold", json={"reason": "an inquiry"})
    account = f"/v1/accounts/{names['account_id']}"
    listed = {
        name: (await client.get(f"/v1/{name}")).json()[name][0]["etag"]
        for name, client in (("mutes", forestry), ("masks", forestry), ("receivers", forestry),
                             ("releases", forestry), ("accounts", security))
    }  # fmt: skip
    assert listed["releases"] == released.headers["etag"]
    moves: list[tuple[httpx.AsyncClient, str, str, str, dict[str, Any] | None]] = [
        (security, "PATCH", account, listed["accounts"], {"name": "Wang Mei"}),
        (forestry, "POST", "/v1/receivers/forestry-webhook/secret", listed["receivers"], None),
        (forestry, "POST", f"{incident}/withdraw", listed["releases"], {"person": "Li"}),
        (forestry, "DELETE", f"/v1/mutes/{names['mute_id']}", listed["mutes"], None),
        (forestry, "DELETE", f"/v1/masks/{names['mask_id']}", listed["masks"], None),
    ]
    for client, method, path, etag, body in moves:
        first = await client.request(method, path, json=body, headers={"If-Match": etag})
        assert first.status_code == 200, (path, first.text)
        assert first.headers["etag"] != etag, path
        if method != "DELETE":
            again = await client.request(method, path, json=body, headers={"If-Match": etag})
            assert again.status_code == 412, (path, again.text)


async def test_a_move_that_is_none_is_a_409_with_the_moves_there_are(
    services: Services, client_of: Client, names: dict[str, str]
) -> None:
    async with services.database.write() as session:
        await save_plan(session, plan(sorties=2), services.site, now=NOW)
        await session.execute(update(DeliveryRow).values(state="delivered"))
    await client_of("operator").post("/v1/sorties/P1-S1/launch")
    await hear(services, told("flying"))
    under_way = ["pause", "resume", "recall", "divert", "abort", "follow", "unfollow"]
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
