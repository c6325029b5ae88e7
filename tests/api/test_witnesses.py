"""Words of other witnesses into incidents: who is told, what is known of the place, and nothing twice."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from api.analysis import Analysis
from api.schemas import FrameIn
from api.services import Services
from api.store import frames, standings
from api.store.absorbing import record_observations
from api.store.models import IncidentRow
from api.store.readings import keep_known, read_known
from api.store.recording import Imported
from api.store.tables.witnesses import LookRequestRow, SightingRow, StandingRow
from api.store.witnesses import record_sightings
from missions.clock import FakeClock
from missions.geo import LatLon, moved
from missions.model import Hazard, Severity
from tests.api.world import FOREST, NOW, detection, fire, frame_id, frame_meta, report
from vision.model import Ellipse
from vision.witnesses.sighting import Sighting, Witness

Client = Callable[[str | None], httpx.AsyncClient]


def word(name: str = "s1", place: LatLon = FOREST, **changes: Any) -> Sighting:
    values: dict[str, Any] = {
        "id": name,
        "witness": Witness.RESIDENT,
        "source": "resident",
        "hazard": Hazard.FIRE,
        "confidence": 0.4,
        "place": place,
        "ellipse": Ellipse(60.0, 60.0, 0.0),
        "seen_at": NOW,
    }
    return Sighting(**{**values, **changes})


def spot(name: str, place: LatLon, **changes: Any) -> Sighting:
    usual = {"witness": Witness.SATELLITE, "source": "VIIRS N", "confidence": 0.7}
    return word(name, place, **{**usual, "ellipse": Ellipse(340.0, 320.0, 90.0), **changes})


async def tell(services: Services, *words: Sighting) -> Imported:
    async with services.database.write() as session:
        return await record_sightings(session, words, site=services.site, now=services.clock.now())


async def only(services: Services, row: Any) -> Any:
    async with services.database.read() as session:
        return (await session.scalars(select(row))).one()


async def count(services: Services, row: Any) -> int:
    async with services.database.read() as session:
        return await session.scalar(select(func.count()).select_from(row)) or 0


async def looked(services: Services, number: int, middle: LatLon, half_m: float, *seen: Any) -> None:
    """A searched thermal frame that shows a square around a place."""
    ring = tuple(moved(middle, bearing, half_m * 2**0.5) for bearing in (315.0, 45.0, 135.0, 225.0))
    now = services.clock.now()
    analysis = Analysis(
        frame_id(number),
        tuple(detection() for _ in seen),
        tuple(seen),
        footprint=ring,
        searched=frozenset({Hazard.FIRE, Hazard.HOT_SPOT}),
        gsd_m=0.16,
    )
    async with services.database.write() as session:
        meta = FrameIn(**{**frame_meta(number), "taken_at": now.isoformat()})
        await frames.accept_frame(session, meta, key=f"frames/{number}.tif", now=now)
        await record_observations(session, analysis, site=services.site, now=now)


async def test_a_residents_word_opens_an_unconfirmed_incident_and_asks_for_a_look(services: Services) -> None:
    told = await tell(services, word())
    assert (told.read, told.new, told.opened, told.joined) == (1, 1, 1, 0)
    incident, standing = await only(services, IncidentRow), await only(services, StandingRow)
    assert (incident.state, incident.looks, incident.confidence) == ("open", 0, pytest.approx(0.4))
    assert incident.place_name["zh-CN"]
    assert standing.standing == "unconfirmed"
    assert standing.sources == [
        {
            "witness": "resident",
            "source": "resident",
            "count": 1,
            "confidence": 0.4,
            "first_at": NOW.isoformat(),
            "last_at": NOW.isoformat(),
        }
    ]
    request = await only(services, LookRequestRow)
    assert (request.incident, request.purpose, request.state) == (incident.id, "confirm", "asked")


async def test_the_same_words_twice_change_nothing(services: Services) -> None:
    words = [word(), spot("v1", moved(FOREST, 90.0, 3000.0)), word("s2", hazard=Hazard.FLOOD)]
    await tell(services, *words)
    before = [await count(services, row) for row in (IncidentRow, SightingRow, LookRequestRow)]
    again = await tell(services, *words)
    assert (again.new, again.updated, again.opened, again.joined) == (0, 0, 0, 0)
    assert [await count(services, row) for row in (IncidentRow, SightingRow, LookRequestRow)] == before


async def test_a_source_that_corrects_itself_counts_as_updated_and_only_makes_surer(
    services: Services,
) -> None:
    await tell(services, spot("v1", FOREST))
    told = await tell(services, spot("v1", FOREST, confidence=0.8, facts={"version": "2.0"}))
    assert (told.new, told.updated) == (0, 1)
    assert (await only(services, IncidentRow)).confidence == pytest.approx(0.8)
    assert (await only(services, StandingRow)).sources[0]["count"] == 1
    weaker = await tell(services, spot("v1", FOREST, confidence=0.3))
    assert weaker.updated == 1
    assert (await only(services, IncidentRow)).confidence == pytest.approx(0.8)


async def test_independent_witnesses_raise_the_confidence_by_the_rule_and_are_all_named(
    services: Services,
) -> None:
    await tell(services, word())
    await tell(services, word("s2", moved(FOREST, 0.0, 20.0)))
    assert (await only(services, IncidentRow)).confidence == pytest.approx(0.4)
    await tell(services, spot("v1", moved(FOREST, 0.0, 100.0)))
    incident, standing = await only(services, IncidentRow), await only(services, StandingRow)
    assert incident.confidence == pytest.approx(1 - 0.6 * 0.3)
    assert [(s["witness"], s["count"]) for s in standing.sources] == [("resident", 2), ("satellite", 1)]
    assert standing.standing == "unconfirmed"


async def test_a_ranger_on_site_confirms_without_a_flight(services: Services) -> None:
    await tell(services, word("s1", witness=Witness.RANGER, source="ranger", confidence=0.85))
    standing = await only(services, StandingRow)
    assert standing.standing == "confirmed"
    assert standing.reason["en-US"] == "Confirmed by ranger (ranger), who was there or measured it."
    assert await count(services, LookRequestRow) == 0


async def test_a_drone_that_sees_it_confirms_it_and_no_second_incident_opens(services: Services) -> None:
    await tell(services, word(hazard=Hazard.SMOKE))
    told = await only(services, IncidentRow)
    await report(services, 1, fire(1, moved(FOREST, 90.0, 35.0)))
    incident, standing = await only(services, IncidentRow), await only(services, StandingRow)
    assert (incident.id, incident.hazard, incident.looks) == (told.id, "fire", 1)
    assert incident.major_m < 10
    assert incident.confidence == pytest.approx(1 - 0.6 * 0.1)
    assert standing.standing == "confirmed"
    assert standing.reason["en-US"] == "Confirmed: seen by drone D1 at 10:00, 35 m from the place told."


async def test_what_a_drone_had_seen_already_is_confirmed_when_it_is_told_of(services: Services) -> None:
    await report(services, 1, fire(1, FOREST))
    before = await only(services, IncidentRow)
    told = await tell(services, word(place=moved(FOREST, 0.0, 30.0), hazard=Hazard.SMOKE))
    after = await only(services, IncidentRow)
    assert told.joined == 1
    assert before.details["spots"]
    assert after.details == before.details
    assert (after.lat_deg, after.hazard, after.major_m) == (before.lat_deg, "fire", before.major_m)
    assert after.confidence > before.confidence
    assert (await only(services, StandingRow)).standing == "confirmed"
    assert await count(services, LookRequestRow) == 0


async def test_smoke_in_ground_seen_clean_five_minutes_ago_says_both(
    services: Services, clock: FakeClock
) -> None:
    await looked(services, 1, FOREST, 120.0)
    clock.advance(300)
    await tell(services, word(seen_at=clock.now()))
    note = (await only(services, StandingRow)).note
    assert note == {
        "en-US": "The place was looked at 5 min before with the thermal camera and nothing was found.",
        "zh-CN": "5分钟前以热像仪巡视过该处，未发现异常。",
    }


async def test_ground_that_nobody_looked_at_is_not_called_clean(services: Services, clock: FakeClock) -> None:
    await looked(services, 1, moved(FOREST, 90.0, 60.0), 60.0)
    clock.advance(600)
    await tell(services, word(), word("s2", moved(FOREST, 180.0, 900.0)))
    async with services.database.read() as session:
        notes = [row.note["en-US"] for row in await session.scalars(select(StandingRow))]
    assert any(
        "% of the place was looked at 10 min before" in note and "the rest was not seen" in note
        for note in notes
    )
    assert "The place was not looked at in the last 24 h: nothing is known of it." in notes


async def test_a_fire_line_of_hot_spots_is_one_incident_that_grows(services: Services) -> None:
    line = [moved(FOREST, 60.0, 375.0 * i) for i in range(12)]
    told = await tell(services, *(spot(f"v{i}", place) for i, place in enumerate(line[:8])))
    assert (told.new, told.opened) == (8, 1)
    small = (await only(services, IncidentRow)).major_m
    later = NOW + timedelta(hours=2)
    more = await tell(services, *(spot(f"w{i}", p, seen_at=later) for i, p in enumerate(line[8:])))
    assert (more.opened, more.joined) == (0, 1)
    incident = await only(services, IncidentRow)
    assert incident.major_m > small
    assert incident.seen_at == later
    assert (await only(services, StandingRow)).sources[0]["count"] == 12


async def test_a_known_hot_place_opens_nothing_until_its_permit_ends(services: Services) -> None:
    text = "name,lat,lon,radius_m,owner,until\nCement works,30.28,119.415,300,operator,2026-06-30\n"
    rows, refused = read_known(text.splitlines(), zone=NOW.tzinfo, near=FOREST)  # type: ignore[arg-type]
    assert refused == ()
    async with services.database.write() as session:
        assert (await keep_known(session, rows)).new == 1
    told = await tell(services, spot("v1", moved(FOREST, 0.0, 200.0)))
    assert (told.new, told.masked, told.opened) == (1, 1, 0)
    kept = await only(services, SightingRow)
    assert (kept.decision, kept.masked, kept.incident) == ("masked", "known source: Cement works", None)
    later = NOW + timedelta(days=40)
    assert (await tell(services, spot("v2", FOREST, seen_at=later))).opened == 1


async def test_an_old_word_is_history_and_alarms_nobody(services: Services) -> None:
    told = await tell(services, spot("v1", FOREST, seen_at=NOW - timedelta(days=400)))
    assert told.opened == 1
    assert (await only(services, IncidentRow)).state == "closed"
    assert await count(services, LookRequestRow) == 0


async def test_a_word_from_far_away_is_kept_without_a_flight(services: Services) -> None:
    await tell(services, spot("v1", LatLon(48.0, 17.0)))
    assert (await only(services, IncidentRow)).place_name["en-US"] == "48.00000, 17.00000"
    assert await count(services, LookRequestRow) == 0


async def test_a_gauge_over_its_guaranteed_level_is_worth_orange(services: Services) -> None:
    flood = word(witness=Witness.GAUGE, source="lan-3", hazard=Hazard.FLOOD, severity=Severity.ORANGE)
    await tell(services, flood)
    incident = await only(services, IncidentRow)
    assert (incident.hazard, incident.severity) == ("flood", "orange")


async def test_a_report_over_http_is_taken_once_and_says_what_is_known(client_of: Client) -> None:
    operator = client_of("operator")
    told = {"service_code": "smoke", "lat": 119.415, "long": 30.28, "description": "<script>x</script>smoke"}
    told["service_request_id"] = "hotline-7"
    first = await operator.post("/v1/witnesses/reports", json=told)
    assert first.status_code == 201
    answer = first.json()
    assert answer["note"]["en-US"].startswith("The place was not looked at")
    assert answer["repaired"] == [
        "latitude 119.415 and longitude 30.28 were swapped",
        "markup was taken out of the text",
    ]
    again = await operator.post("/v1/witnesses/reports", json=told)
    assert (again.status_code, again.json()["incident"]) == (200, answer["incident"])
    shown = (await operator.get(f"/v1/incidents/{answer['incident']}")).json()
    assert (shown["standing"], shown["note"]) == ("unconfirmed", answer["note"])
    assert [s["source"] for s in shown["sources"]] == ["resident"]
    words = (await operator.get(f"/v1/incidents/{answer['incident']}/sightings")).json()["sightings"]
    assert [w["facts"]["text"] for w in words] == ["smoke"]


async def test_a_report_that_cannot_be_used_is_refused_with_its_field(client_of: Client) -> None:
    answer = await client_of("operator").post("/v1/witnesses/reports", json={"service_code": "smoke"})
    assert answer.status_code == 422
    assert "place: found none" in answer.json()["message"]


async def test_an_incident_that_a_look_cleared_is_off_the_map_and_stays_in_the_list(
    services: Services, client_of: Client
) -> None:
    await tell(services, word())
    async with services.database.write() as session:
        row = await session.get_one(StandingRow, (await only(services, StandingRow)).incident)
        row.standing = standings.CLEARED
    operator = client_of("operator")
    assert (await operator.get("/v1/incidents.geojson")).json()["features"] == []
    assert [i["standing"] for i in (await operator.get("/v1/incidents")).json()["incidents"]] == ["cleared"]


async def test_looks_can_be_asked_for_by_who_may_see_the_incident(
    client_of: Client, services: Services
) -> None:
    await report(services, 1, fire(1, FOREST))
    incident = (await only(services, IncidentRow)).id
    asked = await client_of("forestry").post(f"/v1/incidents/{incident}/looks", json={"purpose": "over"})
    assert asked.status_code == 202
    again = await client_of("operator").post(f"/v1/incidents/{incident}/looks")
    assert again.json()["id"] == asked.json()["id"]
    assert (await client_of("village").post(f"/v1/incidents/{incident}/looks")).status_code == 404
    assert (await client_of("village").get("/v1/looks")).status_code == 403
