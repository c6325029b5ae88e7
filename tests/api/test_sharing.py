"""What one agency lets another see: by the site file's rules, in every interface, and never to change."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.services import Services
from api.store import events
from api.store.tenancy import hears
from api.store.tokens import Caller, Role
from missions.errors import SiteWrong
from missions.model import Hazard, Severity, Shared, Sharing
from missions.site import load_site
from tests.api.world import FOREST, VILLAGE, fire, frame_id, report

Client = Callable[[str | None], httpx.AsyncClient]

VALLEY = Path(__file__).parents[2] / "examples" / "valley"
FIRE = frozenset({Hazard.FIRE})


def rule(*what: Shared, floor: Severity = Severity.ORANGE, hazards: frozenset[Hazard] = FIRE) -> Sharing:
    """Forestry lets the village see these of its own."""
    return Sharing("forestry", "village", hazards, floor, frozenset(what))


@pytest.fixture
def services(services: Services, request: pytest.FixtureRequest) -> Services:
    """The tiny world with the rules that a test asks for."""
    return replace(services, site=replace(services.site, sharing=getattr(request, "param", ())))


def shared(*rules: Sharing) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("services", [rules], indirect=True, ids=["shared"])


async def seen(client: httpx.AsyncClient, path: str, key: str) -> list[dict[str, Any]]:
    reply = await client.get(path)
    assert reply.status_code == 200, reply.text
    return list(reply.json()[key])


async def an_order(services: Services, client_of: Client) -> dict[str, Any]:
    """Forestry's order on an orange fire in its forest."""
    recorded = await report(services, 1, fire(1, FOREST, area_m2=20.0))
    made = await client_of("forestry").post(f"/v1/incidents/{recorded.incidents[0]}/orders", json={})
    return dict(made.json())


@shared(rule(Shared.INCIDENTS))
async def test_shared_incidents_are_seen_everywhere_from_the_floor_on_and_nothing_else_is(
    services: Services, client_of: Client
) -> None:
    order, village = await an_order(services, client_of), client_of("village")
    await report(services, 2, fire(2, replace(FOREST, lat_deg=30.275)))  # yellow: below the rule's floor
    ids = [order["incident"]]
    assert [row["id"] for row in await seen(village, "/v1/incidents", "incidents")] == ids
    assert [row["id"] for row in await seen(village, "/v1/incidents.geojson", "features")] == ids
    items = "/ogc/collections/incidents/items"
    assert [row["id"] for row in await seen(village, items, "features")] == ids
    exported = await seen(village, "/v1/exports/incidents.geojson", "features")
    assert [row["id"] for row in exported] == ids
    assert await seen(village, "/v1/orders", "orders") == []
    assert await seen(village, "/v1/alerts", "alerts") == []
    assert await seen(village, "/v1/frames", "frames") == []
    assert (await village.get(f"/v1/frames/{frame_id(1)}")).status_code == 404
    assert (await village.get(f"/v1/orders/{order['id']}")).status_code == 404


@shared(rule(Shared.INCIDENTS))
async def test_a_rule_leads_one_way(services: Services, client_of: Client) -> None:
    await report(services, 1, fire(1, VILLAGE, area_m2=20.0))
    assert await seen(client_of("forestry"), "/v1/incidents", "incidents") == []


@shared(rule(Shared.INCIDENTS, hazards=frozenset({Hazard.FLOOD})))
async def test_a_rule_on_floods_shares_no_fires(services: Services, client_of: Client) -> None:
    await report(services, 1, fire(1, FOREST, area_m2=20.0))
    assert await seen(client_of("village"), "/v1/incidents", "incidents") == []


@shared(rule(Shared.INCIDENTS, Shared.PICTURES))
async def test_shared_pictures_are_seen_beside_their_incidents(services: Services, client_of: Client) -> None:
    await report(services, 1, fire(1, FOREST, area_m2=20.0))
    await report(services, 2, fire(2, replace(FOREST, lat_deg=30.275)))
    village = client_of("village")
    assert [row["id"] for row in await seen(village, "/v1/frames", "frames")] == [frame_id(1)]
    assert (await village.get(f"/v1/frames/{frame_id(1)}")).status_code == 200
    assert (await village.get(f"/v1/frames/{frame_id(2)}")).status_code == 404


@shared(rule(Shared.INCIDENTS, Shared.ORDERS))
async def test_shared_orders_are_read_and_never_worked_on(services: Services, client_of: Client) -> None:
    order, village = await an_order(services, client_of), client_of("village")
    (shown,) = await seen(village, "/v1/orders", "orders")
    assert (shown["id"], shown["allowed"]) == (order["id"], [])
    path = f"/v1/orders/{order['id']}"
    tries = (
        await village.post(f"{path}/dispatch", json={"assignee": "T"}),
        await village.post(f"{path}/notes", json={"note": "we were here"}),
        await village.patch(path, json={"assignee": "T"}),
        await village.put(f"{path}/checklist/wind", json={"done": True}),
    )
    assert [reply.status_code for reply in tries] == [403, 403, 403, 403]
    assert (await client_of("forestry").get(path)).json()["version"] == order["version"]


@shared(rule(Shared.INCIDENTS, Shared.PICTURES))
async def test_what_hangs_on_a_shared_incident_is_not_the_takers_to_ask_for(
    services: Services, client_of: Client
) -> None:
    """No legal hold, no flight: of a shared incident its owner decides."""
    recorded = await report(services, 1, fire(1, FOREST, area_m2=20.0))
    path = f"/v1/incidents/{recorded.incidents[0]}"
    village, forestry = client_of("village"), client_of("forestry")
    assert (await village.get(path)).status_code == 200
    assert (await village.post(f"{path}/hold", json={"reason": "inquiry"})).status_code == 403
    assert (await village.post(f"{path}/looks")).status_code == 403
    assert (await forestry.post(f"{path}/hold", json={"reason": "inquiry"})).status_code == 200
    assert (await village.post(f"{path}/hold/lift")).status_code == 403
    assert (await forestry.post(f"{path}/looks")).status_code == 202
    assert [look["asked_by"] for look in await seen(village, f"{path}/looks", "looks")] == ["another"]


@pytest.mark.parametrize(
    ("rules", "kinds"),
    [
        ((), set()),
        ((rule(Shared.INCIDENTS),), {"incident"}),
        ((rule(Shared.INCIDENTS, Shared.ORDERS),), {"incident", "order"}),
        ((rule(Shared.INCIDENTS, Shared.ORDERS, floor=Severity.RED),), set()),
        ((rule(Shared.ORDERS, hazards=frozenset({Hazard.FLOOD})),), set()),
    ],
)
async def test_the_stream_tells_what_is_shared_and_no_more(
    services: Services, client_of: Client, rules: tuple[Sharing, ...], kinds: set[str]
) -> None:
    await an_order(services, client_of)
    async with services.database.read() as session:
        rows = await events.after(session, 0)
    assert {"incident", "alert", "order"} <= {row.kind for row in rows}
    village = Caller("t", Role.AGENCY, "village", "desk", shared=rules)
    assert {row.kind for row in rows if hears(village, row)} == kinds


async def test_without_a_rule_nothing_is_shared(services: Services, client_of: Client) -> None:
    await an_order(services, client_of)
    for path, key in (("/v1/incidents", "incidents"), ("/v1/orders", "orders"), ("/v1/frames", "frames")):
        assert await seen(client_of("village"), path, key) == []


def valley_with(folder: Path, rules: str) -> Path:
    """A copy of the valley whose site file ends with some rules."""
    copied = Path(shutil.copytree(VALLEY, folder / "valley"))
    site = copied / "site.yaml"
    site.write_text(f"{site.read_text('utf-8').rstrip()}\n\nsharing:\n{rules}", "utf-8")
    return site


def test_rules_are_data_in_the_site_file(tmp_path: Path) -> None:
    rules = "  - {from: forestry, to: emergency, hazards: [fire, smoke], floor: orange, what: [incidents]}\n"
    site = load_site(valley_with(tmp_path, rules + rules.replace("floor: orange, ", "")))
    first, second = site.sharing
    assert first == Sharing(
        "forestry",
        "emergency",
        frozenset({Hazard.FIRE, Hazard.SMOKE}),
        Severity.ORANGE,
        frozenset({Shared.INCIDENTS}),
    )
    assert second.floor is Severity.BLUE, "without a floor everything of the hazards is shared"


@pytest.mark.parametrize(
    "wrong",
    [
        "{from: nobody, to: emergency, hazards: [fire], what: [incidents]}",
        "{from: forestry, to: nobody, hazards: [fire], what: [incidents]}",
        "{from: forestry, to: forestry, hazards: [fire], what: [incidents]}",
        "{from: forestry, to: emergency, hazards: [unicorn], what: [incidents]}",
        "{from: forestry, to: emergency, hazards: [fire], what: [everything]}",
        "{from: forestry, to: emergency, hazards: [fire]}",
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_its_line(tmp_path: Path, wrong: str) -> None:
    site = valley_with(tmp_path, f"  - {wrong}\n")
    line = len(site.read_text("utf-8").splitlines())
    with pytest.raises(SiteWrong, match=rf"site\.yaml:{line}\b"):
        load_site(site)
