"""Every interface × every kind of caller: who sees which of the things of two agencies.

A fire lies in the forest (A), one in the village (B), one on their border (C, told to both). Whatever the
interface, a thing is known by its id in what comes back. A route that gives something out and is neither
walked here nor named as giving out nothing of an agency fails the first test.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from api.analysis import Analysis
from api.bus_server import BusAddress, configuration
from api.schemas import FrameIn
from api.services import Services
from api.store import events, frames
from api.store.absorbing import record_observations
from api.store.models import AlertRow, DeliveryRow, DetectionRow, FrameRow
from api.store.tenancy import as_heard, hears
from api.store.tokens import Caller, Role
from missions.geo import LatLon
from missions.model import Hazard, Severity, Shared, Sharing
from tests.api.test_rights import BODIES, NAMES, RIGHTS
from tests.api.world import BORDER, FOREST, NOW, VILLAGE, fire, frame_id, frame_meta, report

Client = Callable[[str | None], httpx.AsyncClient]

SHARES = Sharing(
    "forestry",
    "village",
    frozenset({Hazard.FIRE}),
    Severity.ORANGE,
    frozenset({Shared.INCIDENTS, Shared.PICTURES, Shared.ORDERS}),
)
RING = [[119.41, 30.285], [119.42, 30.285], [119.42, 30.275], [119.41, 30.275]]

Cf, Cv = "Cf", "Cv"  # the border's alerts: forestry's and the village's
SEEN: Mapping[str, Mapping[str, set[str]]] = {
    "operator": {
        "incident": {"A", "B", "C"},
        "frame": {"A", "B", "C"},
        "alert": {"A", "B", Cf, Cv},
        "order": {"A", "B"},
        "report": {"A", "B"},
        "mute": {"A", "B"},
    },
    "forestry": {
        "incident": {"A", "C"},
        "frame": {"A", "C"},
        "alert": {"A", Cf},
        "order": {"A"},
        "report": {"A"},
        "mute": {"A"},
    },
    "village": {
        "incident": {"B", "C"},
        "frame": {"B", "C"},
        "alert": {"B", Cv},
        "order": {"B"},
        "report": {"B"},
        "mute": {"B"},
    },
    "village, forestry shares": {
        "incident": {"A", "B", "C"},
        "frame": {"A", "B", "C"},
        "alert": {"B", Cv},
        "order": {"A", "B"},
        "report": {"B"},
        "mute": {"B"},
    },
    **{who: {} for who in ("gateway", "system", "security", "auditor", "nobody")},
}
"""What each caller sees of each kind; of a kind that is not named, nothing."""

LISTS = {
    "/v1/incidents": "incident",
    "/v1/incidents.geojson": "incident",
    "/ogc/collections/incidents/items": "incident",
    "/v1/exports/incidents.geojson": "incident",
    "/v1/exports/incidents.csv": "incident",
    "/v1/exports/incidents.gpkg": "incident",
    "/v1/alerts": "alert",
    "/ogc/collections/alerts/items": "alert",
    "/v1/exports/alerts.geojson": "alert",
    "/v1/exports/alerts.csv": "alert",
    "/v1/exports/alerts.gpkg": "alert",
    "/v1/cap/feed.atom": "alert",
    "/v1/deliveries": "alert",
    "/v1/orders": "order",
    "/v1/frames": "frame",
    "/stac/collections/frames/items": "frame",
    "/stac/search": "frame",
    "/ogc/collections/coverage/items": "frame",
    "/v1/exports/coverage.geojson": "frame",
    "/v1/reports": "report",
    "/open311/v2/requests.json": "report",
    "/open311/v2/requests.xml": "report",
    "/v1/mutes": "mute",
}
"""Where many things of a kind come at once."""

ONES = {
    "/v1/incidents/{incident_id}": "incident",
    "/v1/incidents/{incident_id}/sightings": "incident",
    "/v1/incidents/{incident_id}/looks": "incident",
    "/ogc/collections/incidents/items/{feature_id}": "incident",
    "/v1/alerts/{alert_id}": "alert",
    "/v1/alerts/{alert_id}/history": "alert",
    "/v1/alerts/{alert_id}/evidence.zip": "alert",
    "/ogc/collections/alerts/items/{feature_id}": "alert",
    "/v1/cap/{name}.xml": "alert",
    "/v1/orders/{order_id}": "order",
    "/v1/frames/{frame_id}": "frame",
    "/v1/frames/{frame_id}/picture": "frame",
    "/v1/frames/{frame_id}/marked.jpg": "frame",
    "/stac/collections/frames/items/{item_id}": "frame",
    "/ogc/collections/coverage/items/{feature_id}": "frame",
    "/v1/reports/{report_id}": "report",
    "/open311/v2/requests/{request_id}.json": "report",
}
"""Where one thing is asked for by its id."""

OPEN = (
    "/v1/health",
    "/v1/me",
    "/v1/login",
    "/v1/account",
    "/v1/keys",
    "/v1/sessions",
    "/v1/system",
    "/v1/audit",
    "/v1/site",
    "/v1/public",
    "/v1/cap/public",
    "/v1/reports/track",
    "/open311/v2/services",
    "/open311/v2/tokens",
    "/v1/gauges",
    "/v1/weather",
    "/ogc/api",
    "/ogc/conformance",
    "/stac/api",
    "/stac/conformance",
)
"""What begins so gives out nothing of an agency, or only what its holder's code or office is for."""

ELSEWHERE = {
    "/v1/docks": "flights: test_rights.py",
    "/v1/drones": "flights: test_rights.py",
    "/v1/plans": "flights: test_rights.py",
    "/v1/sorties": "flights: test_rights.py",
    "/v1/looks": "flights: test_rights.py",
    "/v1/alarms": "flights: test_rights.py",
    "/v1/agencies": "an agency's own: test_rights.py",
    "/v1/receivers": "an agency's own: test_deliveries.py",
    "/v1/deliveries/{delivery_id}": "walked with its id below",
    "/v1/events": "walked from its rows below",
    "/v1/review": "test_mutes.py",
    "/v1/verdicts.csv": "an agency's own: test_masks.py",
    "/v1/verdicts.zip": "an agency's own: test_masks.py",
    "/v1/masks": "an agency's own: test_masks.py",
    "/v1/releases": "an agency's own: test_public.py",
    "/v1/coverage": "an agency's own ground: test_coverage.py",
    "/v1/coverage/at": "an agency's own ground: test_coverage.py",
    "/v1/baselines/{place}/{version}/{layer}.tif": "an agency's own ground: test_baselines.py",
    "/v1/orders/{order_id}/pictures/{picture_id}": "read by the order: test_orders.py",
}


@dataclass(slots=True)
class World:
    """The ids of the things by kind and letter; the deliveries that told of each alert."""

    ids: dict[str, dict[str, str]] = field(default_factory=dict)
    deliveries: dict[str, str] = field(default_factory=dict)

    def seen_in(self, kind: str, text: str) -> set[str]:
        """Return which things of a kind a text names."""
        return {letter for letter, name in self.ids[kind].items() if name in text}


@pytest.fixture
def services(services: Services, request: pytest.FixtureRequest) -> Services:
    """The tiny world, in which forestry shares with the village where a test asks for it."""
    shares = (SHARES,) if "shares" in str(getattr(request, "param", "")) else ()
    return replace(services, site=replace(services.site, sharing=shares))


@pytest.fixture
async def world(services: Services, client_of: Client) -> World:
    for agency in ("forestry", "village"):
        url = {"url": f"http://127.0.0.1:9/{agency}"}
        await client_of(agency).put(f"/v1/agencies/{agency}/webhook", json=url)
    made = World({kind: {} for kind in ("incident", "frame", "alert", "order", "report", "mute")})
    for letter, number, place in (("A", 1, FOREST), ("B", 2, VILLAGE), ("C", 3, BORDER)):
        recorded = await report(services, number, fire(number, place, area_m2=20.0))
        made.ids["incident"][letter] = recorded.incidents[0]
        made.ids["frame"][letter] = frame_id(number)
        await services.pictures.put(f"frames/{number}.tif", b"bytes")
    async with services.database.write() as session:
        await session.execute(update(FrameRow).values(footprint=RING))
        for row in await session.scalars(select(AlertRow)):
            letter = next(n for n, i in made.ids["incident"].items() if i == row.incident)
            made.ids["alert"][f"C{row.agency[0]}" if letter == "C" else letter] = row.id
        for delivery in await session.scalars(select(DeliveryRow)):
            letter = next(n for n, i in made.ids["alert"].items() if i == delivery.alert)
            made.deliveries[letter] = delivery.id
    for letter, agency, place in (("A", "forestry", FOREST), ("B", "village", VILLAGE)):
        client, incident = client_of(agency), made.ids["incident"][letter]
        order = await client.post(f"/v1/incidents/{incident}/orders", json={})
        made.ids["order"][letter] = order.json()["id"]
        wish = {"hazards": ["flood"], "reason": "drill", "ends_at": "2026-06-01T08:00:00Z"}
        made.ids["mute"][letter] = (await client.post("/v1/mutes", json=wish)).json()["id"]
        told = {"service_code": "fire", "lat": str(place.lat_deg), "long": str(place.lon_deg)}
        made.ids["report"][letter] = (await client_of(None).post("/v1/reports", data=told)).json()["id"]
    return made


def caller(who: str) -> str | None:
    return None if who == "nobody" else who.partition(",")[0]


def hidden_from(world: World, who: str) -> dict[str, str]:
    """The ids of what a caller may not see, by what they are."""
    found = {
        f"{kind} {letter}": name
        for kind, names in world.ids.items()
        for letter, name in names.items()
        if letter not in SEEN[who].get(kind, set())
    }
    alerts = SEEN[who].get("alert", set())
    return found | {f"delivery {k}": v for k, v in world.deliveries.items() if k not in alerts}


SHARED = "village, forestry shares"
rules = pytest.mark.parametrize(
    ("services", "callers"),
    [("none", [who for who in SEEN if who != SHARED]), ("forestry shares", [SHARED, "forestry"])],
    indirect=["services"],
    ids=["nothing shared", "forestry shares"],
)


def test_no_route_that_gives_something_out_is_left_out() -> None:
    paths = {path for method, path in RIGHTS if method == "GET"}
    of_many = ("/ogc/collections", "/stac/collections", "/v1/exports/", "/open311/v2/requests")
    left_out = {
        path
        for path in paths - {"/ogc", "/stac"} - LISTS.keys() - ONES.keys() - ELSEWHERE.keys()
        if not path.startswith((*OPEN, *of_many))
    }
    assert not left_out


@rules
async def test_each_caller_sees_the_same_things_in_every_interface_and_no_id_of_another(
    world: World, client_of: Client, callers: list[str]
) -> None:
    for who in callers:
        await _walk(world, client_of(caller(who)), who)


async def _walk(world: World, client: httpx.AsyncClient, who: str) -> None:
    seen, hidden = SEEN[who], hidden_from(world, who)

    async def read(path: str) -> tuple[int, str]:
        where = {"lat_deg": 30.28, "lon_deg": 119.425} if path.endswith("/at") else {}
        reply = await client.get(path, params=where)
        text = reply.content.decode("utf-8", errors="replace")
        told = [what for what, name in hidden.items() if name in text and name not in path]
        assert not told or path == "/v1/audit", (who, path, told)  # the auditor's office is to read it
        return reply.status_code, text

    for path, kind in LISTS.items():
        status, text = await read(path)
        assert status == 200 if seen else status in (401, 403), (who, path, text)
        assert world.seen_in(kind, text) == seen.get(kind, set()), (who, path)
    for path, kind in ONES.items():
        for letter, name in list(world.ids[kind].items())[: None if seen else 1]:
            status, text = await read(path.format_map(dict.fromkeys(NAMES, name)))
            # 409: the bytes of the tiny world are no picture that can be drawn.
            allowed = (200, 409) if letter in seen.get(kind, set()) else (401, 403, 404)
            assert status in allowed, (who, path, letter, text)
    for letter, delivery in world.deliveries.items():
        status, _ = await read(f"/v1/deliveries/{delivery}")
        assert (status == 200) is (letter in seen.get("alert", set())), (who, letter)
    for method, path in RIGHTS:
        if method == "GET" and "{" not in path and path not in (*LISTS, "/v1/events"):
            await read(path)


@rules
async def test_the_stream_tells_of_the_same_things(
    services: Services, world: World, callers: list[str]
) -> None:
    async with services.database.read() as session:
        rows = await events.after(session, 0, limit=1000)
    for who in set(callers) - {"nobody"}:
        name = str(caller(who))
        role, agency = (Role.AGENCY, name) if name in ("forestry", "village") else (Role(name), None)
        shared = services.site.sharing if name == "village" else ()
        listener = Caller("t", role, agency, "desk", shared=shared)
        for kind in ("incident", "alert", "order", "report"):
            heard = [as_heard(listener, row) for row in rows if row.kind == kind and hears(listener, row)]
            found = {letter for told in heard for letter in world.seen_in(kind, json.dumps(dict(told)))}
            assert found == SEEN[who].get(kind, set()), (who, kind)


@rules
async def test_what_is_not_seen_cannot_be_changed_and_no_refusal_tells_of_it(
    world: World, client_of: Client, callers: list[str]
) -> None:
    kinds = {
        "incident_id": "incident",
        "alert_id": "alert",
        "order_id": "order",
        "report_id": "report",
        "mute_id": "mute",
    }
    for who in set(callers) - {"operator", "gateway", "system", "security"}:  # test_rights.py has the offices
        hidden = hidden_from(world, who)
        for method, path in RIGHTS:
            kind = next((k for parameter, k in kinds.items() if f"{{{parameter}}}" in path), None)
            if method == "GET" or kind is None:
                continue
            for letter, name in world.ids[kind].items():
                if letter in SEEN[who].get(kind, set()):
                    continue
                filled = path.format_map({**NAMES, **dict.fromkeys(kinds, name), "act": "dispatch"})
                picture = {"file": ("a.jpg", b"x", "image/jpeg")} if path.endswith("/pictures") else None
                body = None if picture else BODIES.get((method, path), {})
                reply = await client_of(caller(who)).request(method, filled, json=body, files=picture)
                assert reply.status_code in (401, 403, 404, 422), (who, path, letter, reply.text)
                told = [what for what, hid in hidden.items() if hid in reply.text and hid not in filled]
                assert not told, (who, path, told)


async def test_an_agencys_mqtt_user_may_hear_its_own_topics_alone(tmp_path: Any) -> None:
    text = configuration(tmp_path, BusAddress("127.0.0.1", 1, 2), ["forestry", "village"])
    for agency, other in (("forestry", "village"), ("village", "forestry")):
        users = [u for u in json.loads(text)["accounts"]["AGENCIES"]["users"] if agency in json.dumps(u)]
        assert users
        assert f"agencies.{other}" not in json.dumps(users)


async def test_the_public_sees_nothing_before_a_release_and_a_rounded_place_after(
    world: World, client_of: Client
) -> None:
    public = client_of(None)
    assert (await public.get("/v1/public/incidents")).json() == {"incidents": []}
    assert not world.seen_in("alert", (await public.get("/v1/cap/public.atom")).text)
    incident = world.ids["incident"]["A"]
    released = await client_of("forestry").post(f"/v1/incidents/{incident}/release", json={"person": "Wang"})
    assert released.status_code == 200
    (shown,) = (await public.get("/v1/public/incidents")).json()["incidents"]
    assert (shown["lat_deg"], shown["lon_deg"]) == (30.285, 119.415)
    feed = (await public.get("/v1/cap/public.atom")).text
    assert world.seen_in("alert", feed) == {"A"}
    for letter, name in world.ids["alert"].items():
        reply = await public.get(f"/v1/cap/public/{name}.xml")
        assert reply.status_code == (200 if letter == "A" else 404)


async def test_an_agency_sees_the_pictures_of_its_ground_that_were_searched_for_its_hazards(
    services: Services, client_of: Client
) -> None:
    """Also those in which nothing was found: they are its baselines, and say what was looked at."""
    west = tuple(LatLon(lat, lon) for lon, lat in RING)
    east = tuple(LatLon(p.lat_deg, p.lon_deg + 0.01) for p in west)
    both = tuple(LatLon(p.lat_deg, p.lon_deg + 0.005) for p in west)
    looked = {1: (west, Hazard.FIRE), 2: (east, Hazard.FIRE), 3: (both, Hazard.FIRE), 4: (both, Hazard.FLOOD)}
    async with services.database.write() as session:
        for number, (ring, hazard) in looked.items():
            await frames.accept_frame(session, FrameIn(**frame_meta(number)), key=f"{number}.tif", now=NOW)
            clear = Analysis(frame_id(number), footprint=ring, searched=frozenset({hazard}))
            await record_observations(session, clear, site=services.site, now=NOW)
    seen = {"operator": {1, 2, 3, 4}, "forestry": {1, 3}, "village": {2, 3}, "gateway": set()}
    for who, numbers in seen.items():
        for path in ("/v1/frames", "/stac/collections/frames/items", "/ogc/collections/coverage/items"):
            text = (await client_of(who).get(path)).text
            assert {n for n in looked if frame_id(n) in text} == numbers, (who, path)
    text = (await client_of("forestry").get("/stac/collections/baselines/items")).text
    assert frame_id(1) in text


async def test_a_picture_tells_an_agency_nothing_of_what_another_was_told_of(
    services: Services, client_of: Client
) -> None:
    """One frame shows a fire on either side of the border, half a kilometre apart."""
    here, there = fire(1, FOREST, area_m2=20.0), fire(2, VILLAGE, area_m2=30.0)
    await report(services, 1, here, replace(there, confidence=0.8))
    async with services.database.write() as session:
        second = update(DetectionRow).where(DetectionRow.position == 1).values(confidence=0.8)
        await session.execute(second)
    sure: dict[str, list[float]] = {"operator": [0.9, 0.8], "forestry": [0.9], "village": [0.8]}
    for who, expected in sure.items():
        shown = (await client_of(who).get(f"/v1/frames/{frame_id(1)}")).json()
        assert [found["confidence"] for found in shown["detections"]] == expected
        (listed,) = (await client_of(who).get("/v1/frames")).json()["frames"]
        assert listed == shown
