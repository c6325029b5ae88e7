"""What a detector says besides place and size goes with an incident, its alerts and messages."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from shapely.geometry import shape
from sqlalchemy import select

from api import analysis, views
from api.alerts import NotifyReason
from api.delivery.message import alert_message
from api.delivery.wording import worded
from api.schemas import FrameIn
from api.services import Services
from api.store import frames
from api.store.absorbing import record_observations
from api.store.models import AlertRow, IncidentRow
from missions.geo import Area, LocalFrame
from missions.layers import NamedArea, ReferenceLayers
from missions.model import Hazard, Severity, Subscription
from tests.api.conftest import Caller
from tests.api.world import frame_id, frame_meta
from tests.vision.grounds_drawn import GRID, SEEN_AT, frame_of, ponds
from vision import charted
from vision.baselines.single import ChartBaseline
from vision.detectors.flood import Flood
from vision.expected import along
from vision.scene import Scene

PASSES_APART = timedelta(minutes=30)
RISES_M_PER_H = 0.6
MIDDLE_PX, BEFORE_PX, FIRST_PX, SECOND_PX = (80, 90), 25, 38, 50


class Bowl:
    """Ground that rises by half a metre in a hundred away from the pond's middle."""

    source, resolution_m, error_m = "a bowl", 5.0, 2.0

    def elevation_m(self, lat_deg, lon_deg):
        from pyproj import Transformer

        east, north = Transformer.from_crs("EPSG:4326", GRID.crs, always_xy=True).transform(lon_deg, lat_deg)
        column, row = ~GRID.transform * (np.asarray(east), np.asarray(north))
        return 80.0 + 0.005 * GRID.pixel_m * np.hypot(column - MIDDLE_PX[0], row - MIDDLE_PX[1])


def building(name: str, px: int, names: dict[str, str]) -> NamedArea:
    """A building of 10 m so many pixels east of the pond's middle."""
    x, y = MIDDLE_PX[0] + px, MIDDLE_PX[1]
    ring = np.array([[x, y], [x + 2, y], [x + 2, y + 2], [x, y + 2]], float)
    return NamedArea(name, "building", names, Area(along(GRID, ring)))


SCHOOL = {"en-US": "Heping school", "zh-CN": "和平小学"}
LAYERS = ReferenceLayers(
    buildings=(building("b1", 30, {}), building("b2", 44, SCHOOL), building("b3", 70, {})),
)


async def fly_over(services: Services, number: int, radius_px: int) -> None:
    """One pass over the pond, from its picture to the database as analyst and coordinator bring it there."""
    today = frame_of(ponds((*MIDDLE_PX, radius_px), noise=number))
    taken_at = SEEN_AT + number * PASSES_APART
    shot = replace(today.shot, id=frame_id(number), taken_at=taken_at, sortie=f"P1-S{number}")
    scene = Scene(ground=Bowl(), baseline=ChartBaseline(ponds((*MIDDLE_PX, BEFORE_PX))), references=LAYERS)
    (found,) = Flood().detect(today, scene)
    assert today.chart is not None
    seen = charted.observation(today.chart, found, 0, shot)
    told = analysis.from_json(
        json.loads(json.dumps(analysis.to_json(analysis.Analysis(shot.id, (found,), (seen,)))))
    )
    wants = (Subscription(frozenset({Hazard.FLOOD}), Severity.BLUE),)
    agencies = tuple(replace(agency, subscriptions=wants) for agency in services.site.agencies)
    site = replace(services.site, agencies=agencies)
    async with services.database.write() as session:
        meta = FrameIn(**frame_meta(number, taken_at=taken_at.isoformat()))
        await frames.accept_frame(session, meta, key=f"frames/{number}.tif", now=services.clock.now())
        await record_observations(session, told, site=site, now=services.clock.now())


@pytest.fixture
async def flooded(services: Services) -> Services:
    await fly_over(services, 1, FIRST_PX)
    await fly_over(services, 2, SECOND_PX)
    return services


async def test_two_passes_tell_how_fast_a_flood_grows_and_rises(flooded: Services, client_of: Caller) -> None:
    """60 m further up a bowl of 1:200 in half an hour is 0.6 m an hour, by rings of 10 m more or less."""
    client = client_of("operator")
    (incident,) = (await client.get("/v1/incidents")).json()["incidents"]
    growth = (await client.get(f"/v1/incidents/{incident['id']}")).json()["growth"]
    assert growth["looks"] == 2
    m2_per_h = np.pi * GRID.pixel_m2 * (SECOND_PX**2 - FIRST_PX**2) / 0.5
    low, high = growth["area_90_m2_per_h"]
    assert low < m2_per_h < high
    assert growth["area_m2_per_h"] == pytest.approx(m2_per_h, rel=0.1)
    low, high = growth["rise_90_m_per_h"]
    assert low < RISES_M_PER_H < high
    assert growth["rise_m_per_h"] == pytest.approx(RISES_M_PER_H, abs=0.1)
    assert growth["text"]["en-US"].startswith("the water rises by 0.")
    assert "m² an hour" in growth["text"]["en-US"]
    assert "面积每小时变化+" in growth["text"]["zh-CN"]


async def test_an_incident_shows_the_ground_of_its_last_look(flooded: Services, client_of: Caller) -> None:
    client = client_of("operator")
    (incident,) = (await client.get("/v1/incidents")).json()["incidents"]
    whole = (await client.get(f"/v1/incidents/{incident['id']}")).json()
    assert whole["ground"]["type"] == "MultiPolygon"
    frame = LocalFrame(GRID.middle)
    m2 = frame.in_metres(shape(whole["ground"])).area
    assert m2 == pytest.approx(np.pi * GRID.pixel_m2 * (SECOND_PX**2 - BEFORE_PX**2), rel=0.1)


async def test_what_a_flood_reached_is_counted_once(flooded: Services, client_of: Caller) -> None:
    """The first pass reached one building, the second another; the third stands dry."""
    (incident,) = (await client_of("operator").get("/v1/incidents")).json()["incidents"]
    assert incident["facts"]["reached_counts"] == {"building": 2}
    (named,) = incident["facts"]["reached"]
    assert named == {"kind": "building", "id": "b2", "name": SCHOOL}
    (reached,) = (one for one in incident["said"] if "2 building(s)" in one["en-US"])
    assert SCHOOL["zh-CN"] in reached["zh-CN"]


async def test_an_alert_says_in_both_languages_what_the_water_reached(flooded: Services) -> None:
    async with flooded.database.read() as session:
        alert = (await session.scalars(select(AlertRow))).first()
        assert alert is not None
        row = await session.get_one(IncidentRow, alert.incident)
    assert alert.history[0]["incident"]["facts"]["reached_counts"] == {"building": 1}
    body = alert_message(
        "m",
        site="tiny",
        alert=alert,
        incident=views.incident(row, [alert.agency]),
        reason=NotifyReason.GROWN,
        now=SEEN_AT,
        public_url=None,
    )
    assert "The water has reached 2 building(s) (Heping school)." in worded(body, "en-US").lines
    assert "水已到达房屋2处（和平小学）。" in worded(body, "zh-CN").lines
