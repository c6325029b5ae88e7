"""From observations to who is told: one transaction, once per frame."""

import json

import pytest
from sqlalchemy import func, select

from api.analysis import Analysis, from_json, to_json
from api.errors import NotFound
from api.services import Services
from api.store import events
from api.store.absorbing import record_observations
from api.store.models import (
    AlertRow,
    Base,
    DeliveryRow,
    EventRow,
    IncidentRow,
    ObservationRow,
)
from api.store.receivers import set_webhook
from missions.clock import FakeClock
from missions.geo import Area, moved
from missions.model import Hazard
from tests.api.world import BORDER, FOREST, NOW, detection, fire, frame_id, report


async def count(services: Services, row: type[Base]) -> int:
    async with services.database.read() as session:
        return await session.scalar(select(func.count()).select_from(row)) or 0


async def only_alert(services: Services, agency: str = "forestry") -> AlertRow:
    async with services.database.read() as session:
        return (await session.scalars(select(AlertRow).where(AlertRow.agency == agency))).one()


async def hook(services: Services, *agencies: str) -> None:
    async with services.database.write() as session:
        for agency in agencies:
            await set_webhook(session, agency, "http://127.0.0.1:9/", now=NOW)


async def test_a_fire_on_the_border_tells_both_sides_once(services: Services) -> None:
    await hook(services, "forestry", "village")
    recorded = await report(services, 1, fire(1, BORDER, area_m2=20.0))
    assert len(recorded.incidents) == 1
    assert len(recorded.alerts) == 2
    async with services.database.read() as session:
        sent = (await session.scalars(select(DeliveryRow))).all()
    assert {d.agency for d in sent} == {"forestry", "village"}
    assert len({d.id for d in sent}) == 2


async def test_the_same_frame_a_second_time_changes_nothing(services: Services) -> None:
    await hook(services, "forestry")
    await report(services, 1, fire(1, FOREST))
    before = [await count(services, row) for row in (IncidentRow, AlertRow, DeliveryRow, EventRow)]
    recorded = await report(services, 1, fire(1, FOREST))
    assert recorded.repeated
    assert [await count(services, row) for row in (IncidentRow, AlertRow, DeliveryRow, EventRow)] == before


async def test_looks_at_one_fire_are_one_incident_and_one_message(services: Services) -> None:
    await hook(services, "forestry")
    for number in (1, 2, 3):
        await report(services, number, fire(number, moved(FOREST, 90.0, 2.0 * number)))
    assert await count(services, IncidentRow) == 1
    assert await count(services, ObservationRow) == 3
    assert await count(services, DeliveryRow) == 1
    async with services.database.read() as session:
        (row,) = (await session.scalars(select(IncidentRow))).all()
    assert row.looks == 3


async def test_two_fires_fifty_metres_apart_stay_two(services: Services) -> None:
    recorded = await report(services, 1, fire(1, FOREST), fire(2, moved(FOREST, 0.0, 50.0)))
    assert len(recorded.incidents) == 2


async def test_a_fire_that_gets_worse_is_told_again_and_reopens_the_alert(
    services: Services, clock: FakeClock
) -> None:
    await hook(services, "forestry")
    await report(services, 1, fire(1, FOREST))
    async with services.database.write() as session:
        (await session.get_one(AlertRow, (await only_alert(services)).id)).state = "acknowledged"
    clock.advance(60)
    await report(services, 2, fire(2, FOREST, area_m2=60.0))
    alert = await only_alert(services)
    assert (alert.state, alert.severity, alert.revision) == ("updated", "red", 2)
    assert [h["reason"] for h in alert.history] == ["first", "worse"]
    async with services.database.read() as session:
        bodies = [
            json.loads(d.body) for d in await session.scalars(select(DeliveryRow).order_by(DeliveryRow.seq))
        ]
    assert [b["type"] for b in bodies] == ["gridpatrol.alert.raised", "gridpatrol.alert.updated"]


async def test_a_hot_spot_alone_alerts_nobody(services: Services) -> None:
    warm = fire(1, FOREST)
    warm = type(warm)(**{**{n: getattr(warm, n) for n in warm.__slots__}, "hazard": Hazard.HOT_SPOT})
    recorded = await report(services, 1, warm)
    assert recorded.incidents == ()
    async with services.database.read() as session:
        (kept,) = (await session.scalars(select(ObservationRow))).all()
    assert (kept.decision, kept.incident) == ("ignored", None)
    assert kept.reason


async def test_a_failure_in_the_middle_leaves_nothing_behind(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events come last; when they fail, no incident, alert or message is left either."""
    await hook(services, "forestry")
    real = events.append_all

    async def fails(session: object, kind: str, *rest: object, **more: object) -> None:
        if kind == "incident":
            raise RuntimeError("power cut")
        await real(session, kind, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("api.store.events.append_all", fails)
    with pytest.raises(RuntimeError, match="power cut"):
        await report(services, 1, fire(1, FOREST))
    for row in (IncidentRow, AlertRow, DeliveryRow, EventRow, ObservationRow):
        assert await count(services, row) == 0
    monkeypatch.undo()
    assert (await report(services, 1, fire(1, FOREST))).alerts


async def test_an_analysis_of_an_unknown_frame_is_refused(services: Services) -> None:
    async with services.database.write() as session:
        with pytest.raises(NotFound):
            await record_observations(session, Analysis("nothing"), site=services.site, now=NOW)


async def test_no_message_is_owed_to_an_agency_without_a_webhook(services: Services) -> None:
    await report(services, 1, fire(1, FOREST))
    assert await count(services, AlertRow) == 1
    assert await count(services, DeliveryRow) == 0


def test_an_analysis_survives_the_bus() -> None:
    whole = Analysis(
        frame_id(1),
        (detection(),),
        (fire(1, FOREST),),
        note="said",
        footprint=(FOREST, BORDER, moved(FOREST, 0, 9)),
    )
    outlined = fire(2, FOREST)
    outlined = type(outlined)(
        **{**{n: getattr(outlined, n) for n in outlined.__slots__}, "outline": Area((FOREST, BORDER, NORTH))}
    )
    for analysis in (whole, Analysis(frame_id(2), observations=(outlined,)), Analysis("x", skipped="why")):
        assert from_json(json.loads(json.dumps(to_json(analysis)))) == analysis


NORTH = moved(FOREST, 0.0, 100.0)
