"""Where animals are is told to the metre only to agencies that the site trusts; to others within a square.

Two agencies ask for wildlife on the border between them; the site trusts forestry alone.
"""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, select

from api import verdicts, views
from api.analysis import Analysis
from api.discretion import known_to, named_place, told_ellipse, told_place
from api.public import ROUNDED_DEG
from api.schemas import FrameIn
from api.services import Services
from api.store import events, frames
from api.store.absorbing import record_observations
from api.store.models import DeliveryRow, FrameRow, ObservationRow, SortieRow
from api.store.tables.orders import FrameGroundRow, OrderRow
from api.store.tenancy import hears
from api.store.tokens import Caller, Role
from api.verdicts import Judged
from missions.geo import Area, LatLon, distance_m, moved
from missions.model import Hazard, Severity, Subscription
from tests.api.test_tenancy import Client
from tests.api.world import NOW, detection, fire, frame_id, frame_meta
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
    "/ogc/collections/coverage/items",
    "/stac/search",
    "/v1/incidents/{incident}/sightings",
    "/v1/deliveries",
    "/v1/public/incidents",
    "/v1/cap/public.atom",
    "/open311/v2/requests.json",
)
"""What every watcher may read; the agencies' own alerts and the frames in them come beside."""

SAY_WHERE = {path for path in INTERFACES[:12] if not re.match("/v1/alerts", path)} | {"/v1/cap/{alert}.xml"}
PICTURES = {"/ogc/collections/coverage/items", "/stac/search"}
"""They tell what ground a picture shows: to those who may see the picture."""

AROUND = (DEN, *(moved(DEN, east, north) for east, north in ((30, 0), (30, 30), (-30, 30), (-30, -30))))


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
    deer = replace(fire(1, DEN), hazard=Hazard.WILDLIFE, temp_max_c=None, outline=Area(AROUND))
    analysis = Analysis(
        frame_id(1),
        (replace(detection(), hazard=Hazard.WILDLIFE),),
        (deer,),
        footprint=AROUND,
        searched=frozenset({Hazard.WILDLIFE}),
    )
    async with services.database.write() as session:
        await frames.accept_frame(session, FrameIn(**frame_meta(1)), key="frames/1.tif", now=NOW)
        recorded = await record_observations(session, analysis, site=services.site, now=NOW)
        # The village's only way to the picture is the incident: it lies on forestry's ground.
        await session.execute(delete(FrameGroundRow).where(FrameGroundRow.agency == "village"))
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
    expected = {"operator": PICTURES, "village": set(), "forestry": SAY_WHERE | PICTURES}
    assert told == expected[who]


@pytest.mark.parametrize(("who", "status"), [("operator", 200), ("village", 404), ("forestry", 200)])
async def test_a_picture_that_animals_alone_would_lead_to_is_the_trusteds(
    client_of: Client, found: dict[str, Any], who: str, status: int
) -> None:
    """And only to them does a picture, or what is said of it, name what is in it."""
    for path in ("/v1/frames/{frame}", "/stac/collections/frames/items/{frame}"):
        reply = await client_of(who).get(path.format(**found))
        assert reply.status_code == status
        assert ("wildlife" in reply.text) == (who == "forestry")
    listed = (await client_of(who).get("/v1/incidents/{incident}".format(**found))).json()["observations"]
    assert [look["frame"] for look in listed] == [found["frame"] if who == "forestry" else None]


async def test_asking_place_by_place_where_something_was_found_closes_in_on_nothing(
    client_of: Client, found: dict[str, Any]
) -> None:
    """Inside a square each spot is answered alike; forestry is told of the den alone."""

    async def said(who: str, at: LatLon) -> dict[str, Any]:
        asked = f"lat_deg={at.lat_deg}&lon_deg={at.lon_deg}&hazard=wildlife&within_m=20"
        return dict((await client_of(who).get(f"/v1/coverage/at?{asked}")).json())

    beside = moved(DEN, -150, 60)
    assert await said("operator", DEN) == await said("operator", beside)
    assert (await said("forestry", DEN))["visit"]["is_clean"] is False
    assert (await said("forestry", beside))["visit"] is None


@pytest.mark.parametrize(("who", "is_whole"), [("operator", False), ("forestry", True)])
async def test_what_forestry_was_sent_is_not_read_over_its_shoulder(
    client_of: Client, found: dict[str, Any], who: str, is_whole: bool
) -> None:
    sent = (await client_of(who).get("/v1/deliveries")).json()["deliveries"]
    (its,) = [one["id"] for one in sent if one["agency"] == "forestry"]
    assert bool(EXACT.search((await client_of(who).get(f"/v1/deliveries/{its}")).text)) == is_whole


async def test_a_message_that_tells_more_has_a_name_of_its_own(
    client_of: Client, found: dict[str, Any]
) -> None:
    """One identifier, one document: what an operator's reader holds is never another's exact one."""
    path = f"/v1/cap/{found['alerts']['forestry']}.xml"
    names = {}
    for who in ("operator", "forestry"):
        document = (await client_of(who).get(path)).text
        names[who] = re.search("<identifier>(.*)</identifier>", document)[1]  # type: ignore[index]
    assert names["forestry"] == names["operator"] + "-x"
    assert (await client_of("operator").get(f"/v1/cap/{names['forestry']}.xml")).status_code == 404


@pytest.mark.parametrize(("kind", "is_told"), [("animal", False), ("wildlife", False), ("truck", True)])
def test_a_camera_that_follows_an_animal_does_not_say_where_it_is(kind: str, is_told: bool) -> None:
    where = {"lat_deg": DEN.lat_deg, "lon_deg": DEN.lon_deg, "seen_at": NOW}
    names = ("id", "plan", "dock", "drone", "state", "flight_s")
    row = SortieRow(
        **dict.fromkeys(names, "1"), agencies=[], steps=[], path=[], follows={"kind": kind, **where}
    )
    row.shots_planned = row.shots_taken = row.shots_files = 0
    told = views.sortie(row).follows
    assert told is not None
    assert (LatLon(told.lat_deg, told.lon_deg) == DEN) == is_told


def test_verdicts_name_no_picture_of_animals_to_those_who_may_not_know_its_ground(services: Services) -> None:
    look = ObservationRow(
        id="o1", hazard="wildlife", confidence=0.8, lat_deg=DEN.lat_deg, lon_deg=DEN.lon_deg,
        major_m=3.0, minor_m=3.0, bearing_deg=0.0, seen_at=NOW,
    )  # fmt: skip
    frame = FrameRow(id="f1", name="GP_0001_T.TIF", drone="D1", sensor="thermal")
    judged = [Judged(look, frame, OrderRow(agency="forestry", verdict="confirmed"), None)]
    rough = verdicts.table(judged, services.site)
    exact = verdicts.table(judged, services.site, knows=known_to("forestry", services.site))
    assert "f1.TIF" in exact
    assert EXACT.search(exact)
    assert "f1.TIF" not in rough
    assert not EXACT.search(rough)


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


async def test_a_box_around_the_den_finds_it_for_the_trusted(
    client_of: Client, found: dict[str, Any]
) -> None:
    """Or it could be closed in upon, box by box; forestry finds it."""
    box = "119.4195,30.2798,119.4205,30.2805"
    for who, many in (("operator", 0), ("village", 0), ("forestry", 1)):
        reply = await client_of(who).get("/ogc/collections/incidents/items", params={"bbox": box})
        assert len(reply.json()["features"]) == many


async def test_messages_tell_each_agency_as_much_as_it_is_trusted_with(
    services: Services, found: dict[str, Any]
) -> None:
    async with services.database.read() as session:
        bodies = [row.body for row in await session.scalars(select(DeliveryRow))]
    exact = {json.loads(body)["data"]["alert"]["agency"]: bool(EXACT.search(body)) for body in bodies}
    assert exact == {"forestry": True, "village": False}


@pytest.mark.parametrize(
    ("role", "agency"), [(Role.OPERATOR, None), (Role.AGENCY, "village"), (Role.AGENCY, "forestry")]
)
async def test_the_stream_tells_the_trusted_alone(
    services: Services, found: dict[str, Any], role: Role, agency: str | None
) -> None:
    caller = Caller("t", role, agency, "desk", knows=known_to(agency, services.site))
    async with services.database.read() as session:
        rows = await events.after(session, 0)
        heard = [dict(await events.as_told(session, caller, row)) for row in rows if hears(caller, row)]
    told = json.dumps([data for data in heard if data.get("hazard") == "wildlife"])
    assert found["incident"] in told
    assert bool(EXACT.search(told)) == (agency == "forestry")


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
