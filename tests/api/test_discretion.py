"""Where animals are is told to the metre only to agencies that the site trusts; to others within a square.

Two agencies ask for wildlife on the border between them; the site trusts forestry alone.
"""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from api.discretion import known_to, named_place, told_ellipse, told_place
from api.public import ROUNDED_DEG
from api.services import Services
from api.store.models import DeliveryRow, EventRow
from api.store.tenancy import as_heard, hears
from api.store.tokens import Caller, Role
from missions.geo import LatLon, distance_m
from missions.model import Hazard, Severity, Subscription
from tests.api.test_tenancy import Client
from tests.api.world import fire, frame_id, report
from vision.model import Ellipse

DEN = LatLon(30.280123, 119.420023)
EXACT = re.compile(r"30\.28012|119\.42002|30\.2801\b")
"""What the den's place looks like in any form of text that tells more than the square."""

INTERFACES = (
    "/v1/incidents",
    "/v1/incidents.geojson",
    "/v1/incidents/{incident}",
    "/ogc/collections/incidents/items",
    "/ogc/collections/incidents/items/{incident}",
    "/v1/exports/incidents.geojson",
    "/v1/exports/incidents.csv",
    "/v1/alerts",
    "/v1/alerts/{alert}",
    "/v1/alerts/{alert}/history",
    "/ogc/collections/alerts/items",
    "/v1/exports/alerts.csv",
    "/v1/cap/feed.atom",
    "/v1/cap/{alert}.xml",
    "/v1/review",
    "/v1/frames",
    "/v1/frames/{frame}",
)
TO_THE_TRUSTED = {"/v1/incidents", "/v1/incidents.geojson", "/v1/incidents/{incident}"}


@pytest.fixture
def services(services: Services) -> Services:
    """The service of a site whose agencies ask for wildlife and where forestry is trusted with it."""
    asked = (Subscription(frozenset({Hazard.WILDLIFE}), Severity.BLUE),)
    trusted = {"forestry": frozenset({Hazard.WILDLIFE})}
    agencies = tuple(
        replace(a, subscriptions=asked, exact_places=trusted.get(a.id, frozenset()))
        for a in services.site.agencies
    )
    return replace(services, site=replace(services.site, agencies=agencies))


@pytest.fixture
async def found(services: Services, client_of: Client) -> dict[str, Any]:
    """One deer at its den, told to both agencies; the ids by which it is asked for."""
    for agency in ("forestry", "village"):
        url = {"url": f"http://127.0.0.1:9/{agency}"}
        await client_of(agency).put(f"/v1/agencies/{agency}/webhook", json=url)
    deer = replace(fire(1, DEN), hazard=Hazard.WILDLIFE, temp_max_c=None)
    recorded = await report(services, 1, deer)
    alerts = (await client_of("operator").get("/v1/alerts")).json()["alerts"]
    return {
        "incident": recorded.incidents[0],
        "frame": frame_id(1),
        "alerts": {alert["agency"]: alert["id"] for alert in alerts},
    }


async def _read(client_of: Client, who: str, path: str, found: dict[str, Any]) -> str:
    alert = found["alerts"].get(who) or found["alerts"]["forestry"]
    filled = path.format(incident=found["incident"], frame=found["frame"], alert=alert)
    reply = await client_of(who).get(filled)
    assert reply.status_code == 200, (who, path, reply.text)
    return reply.text


@pytest.mark.parametrize("who", ["operator", "village", "forestry"])
async def test_no_interface_tells_where_animals_are_but_to_the_trusted(
    client_of: Client, found: dict[str, Any], who: str
) -> None:
    told = {path for path in INTERFACES if EXACT.search(await _read(client_of, who, path, found))}
    assert told == (TO_THE_TRUSTED if who == "forestry" else set())


async def test_who_is_not_trusted_sees_the_square_around_and_no_picture(
    client_of: Client, found: dict[str, Any]
) -> None:
    (rough,) = (await client_of("village").get("/v1/incidents")).json()["incidents"]
    middle = LatLon(rough["lat_deg"], rough["lon_deg"])
    assert 100 < distance_m(middle, DEN) <= rough["ellipse"]["minor_m"]
    assert rough["frame"] is None
    (exact,) = (await client_of("forestry").get("/v1/incidents")).json()["incidents"]
    assert (exact["lat_deg"], exact["lon_deg"]) == (DEN.lat_deg, DEN.lon_deg)
    assert exact["frame"] == found["frame"]
    assert exact["place_name"] == rough["place_name"]


async def test_a_witness_word_of_animals_is_told_as_roughly(services: Services, client_of: Client) -> None:
    told = {"service_code": "wildlife", "lat": DEN.lat_deg, "long": DEN.lon_deg, "description": "two deer"}
    answer = (await client_of("operator").post("/v1/witnesses/reports", json=told)).json()
    path = f"/v1/incidents/{answer['incident']}/sightings"
    exact = {
        who: bool(EXACT.search((await client_of(who).get(path)).text)) for who in ("operator", "forestry")
    }
    assert exact == {"operator": False, "forestry": True}


async def test_a_box_around_the_den_finds_it_for_nobody(client_of: Client, found: dict[str, Any]) -> None:
    """Or it could be closed in upon, box by box."""
    box = "119.4195,30.2798,119.4205,30.2805"
    for who in ("operator", "village", "forestry"):
        reply = await client_of(who).get("/ogc/collections/incidents/items", params={"bbox": box})
        assert reply.json()["features"] == []


async def test_messages_tell_each_agency_as_much_as_it_is_trusted_with(
    services: Services, found: dict[str, Any]
) -> None:
    async with services.database.read() as session:
        bodies = [row.body for row in await session.scalars(select(DeliveryRow))]
    exact = {json.loads(body)["data"]["alert"]["agency"]: bool(EXACT.search(body)) for body in bodies}
    assert exact == {"forestry": True, "village": False}


async def test_the_stream_tells_nobody(services: Services, found: dict[str, Any]) -> None:
    async with services.database.read() as session:
        events = list(await session.scalars(select(EventRow)))
    callers = [Caller("t", Role.OPERATOR, None, "o"), Caller("t", Role.AGENCY, "village", "v")]
    heard = [as_heard(who, event) for who in callers for event in events if hears(who, event)]
    assert any(found["incident"] in json.dumps(dict(data)) for data in heard)
    assert not EXACT.search(json.dumps([dict(data) for data in heard], default=str))


async def test_evidence_with_its_pictures_is_for_the_trusted(
    client_of: Client, found: dict[str, Any]
) -> None:
    refused = await client_of("village").get(f"/v1/alerts/{found['alerts']['village']}/evidence.zip")
    assert refused.status_code == 403
    given = await client_of("forestry").get(f"/v1/alerts/{found['alerts']['forestry']}/evidence.zip")
    assert given.status_code == 200


def test_places_of_other_hazards_are_told_as_they_are(services: Services) -> None:
    ellipse = Ellipse(3.0, 2.0, 10.0)
    assert told_place("fire", DEN) == DEN
    assert told_ellipse("fire", ellipse) == ellipse
    assert distance_m(told_place("wildlife", DEN), DEN) < told_ellipse("wildlife", ellipse).minor_m
    assert told_place("wildlife", DEN, known_to("forestry", services.site)) == DEN
    assert known_to(None, services.site) == known_to("village", services.site) == frozenset()


def test_all_dens_of_a_square_have_one_place_and_one_name(services: Services) -> None:
    near = LatLon(DEN.lat_deg + 0.7 * ROUNDED_DEG, DEN.lon_deg + 0.5 * ROUNDED_DEG)
    assert told_place("wildlife", near) == told_place("wildlife", DEN)
    layers = services.site.layers
    assert named_place("wildlife", near, layers) == named_place("wildlife", DEN, layers)
