"""Plans become sorties, sorties become orders, and no lost answer starts a second flight."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api import audit
from api.services import Services
from api.store.fleet import record_dock, record_telemetry
from api.store.plans import save_plan
from api.store.sorties import record_sortie_event
from missions.clock import FakeClock
from missions.errors import WorkFailed
from missions.geo import Altitude, Datum, LatLon
from missions.items import NAV_TAKEOFF
from missions.model import Plan, Sensor, Sortie, Task, TaskKind, Unserved, Waypoint
from tests.api.conftest import Outside
from tests.api.world import NOW

Client = Callable[[str | None], httpx.AsyncClient]


def waypoint(lon_deg: float, *, shoots: bool) -> Waypoint:
    return Waypoint(
        LatLon(30.28, lon_deg), Altitude(200.0, Datum.AMSL), 120.0, 12.0, -90.0, shoots, "T1", ("forestry",)
    )


def plan(sorties: int = 1) -> Plan:
    path = (
        waypoint(119.425, shoots=False),
        waypoint(119.422, shoots=True),
        waypoint(119.420, shoots=True),
        waypoint(119.425, shoots=False),
    )
    flights = tuple(
        Sortie(f"S{n}", "dock-east", "GP-1", path, ("T1",), ("forestry",), 300.0, 40.0, 12.0)
        for n in range(1, sorties + 1)
    )
    task = Task("T1", TaskKind.POINT, (), frozenset({Sensor.THERMAL}), ("forest",), ("forestry",))
    return Plan("tiny", 1, flights, (task,), (Unserved("far", "beyond reach", "a nearer dock"),))


@pytest.fixture
async def planned(services: Services) -> Services:
    async with services.database.write() as session:
        await save_plan(session, plan(sorties=2), services.site, now=NOW)
    return services


def told(state: str, number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": f"event {state} {number}",
        "sortie": "P1-S1",
        "drone": "D1",
        "state": state,
        "at": NOW.isoformat(),
        "evidence": f"{state} seen",
        "shots": {"planned": 2, "taken": 1, "files": 1},
        **more,
    }


async def hear(services: Services, *events: dict[str, Any]) -> list[bool]:
    async with services.database.write() as session:
        return [await record_sortie_event(session, event, now=NOW) for event in events]


async def sortie(client_of: Client, name: str = "P1-S1") -> dict[str, Any]:
    rows = (await client_of("operator").get("/v1/sorties")).json()["sorties"]
    found: dict[str, Any] = next(row for row in rows if row["id"] == name)
    return found


async def test_a_plan_is_listed_with_its_sorties_and_what_it_leaves_out(
    planned: Services, client_of: Client
) -> None:
    (row,) = (await client_of("operator").get("/v1/plans")).json()["plans"]
    assert (row["id"], row["sorties"], row["unserved"][0]["demand"]) == ("P1", 2, "far")
    first = await sortie(client_of)
    assert (first["state"], first["drone"], first["shots"]["planned"]) == ("planned", None, 2)
    assert first["path"][0] == [119.425, 30.28]


async def test_asking_for_a_plan_reaches_the_coordinator(client_of: Client, outside: Outside) -> None:
    assert (await client_of("operator").post("/v1/plans", json={"seed": 7})).status_code == 202
    assert (await client_of("operator").post("/v1/plans")).status_code == 202
    assert outside.plans == [7, None]


async def test_launching_sends_the_items_to_the_drones_gateway(
    planned: Services, client_of: Client, outside: Outside
) -> None:
    reply = await client_of("operator").post("/v1/sorties/P1-S1/launch")
    assert reply.json() == {"accepted": True, "reason": None}
    (order,) = outside.commands
    assert (order["id"], order["action"], order["sortie"]["drone"]) == ("P1-S1:fly:1", "fly", "D1")
    assert order["sortie"]["items"][0]["command"] == NAV_TAKEOFF
    assert (order["sortie"]["shots"], order["sortie"]["dock"]["id"]) == (2, "dock-east")
    assert (await sortie(client_of))["state"] == "accepted"
    async with planned.database.read() as session:
        assert [(e.action, e.target) for e in await audit.page(session)] == [("sortie.launch", "P1-S1")]


async def test_a_lost_answer_is_asked_for_again_under_the_same_id(
    planned: Services, client_of: Client, outside: Outside
) -> None:
    outside.fault = WorkFailed("no answer")
    assert (await client_of("operator").post("/v1/sorties/P1-S1/launch")).status_code == 503
    assert (await sortie(client_of))["state"] == "ordered"
    outside.fault = None
    assert (await client_of("operator").post("/v1/sorties/P1-S1/launch")).status_code == 200
    assert [order["id"] for order in outside.commands] == ["P1-S1:fly:1"] * 2


async def test_a_refusal_leaves_the_sortie_planned_and_the_next_order_has_a_new_id(
    planned: Services, client_of: Client, outside: Outside
) -> None:
    outside.answer = {"accepted": False, "reason": "wind 14 m/s"}
    reply = await client_of("operator").post("/v1/sorties/P1-S1/launch")
    assert reply.json() == {"accepted": False, "reason": "wind 14 m/s"}
    assert (await sortie(client_of))["state"] == "planned"
    await client_of("operator").post("/v1/sorties/P1-S1/launch")
    assert [order["id"] for order in outside.commands] == ["P1-S1:fly:1", "P1-S1:fly:2"]


async def test_a_failed_sortie_is_not_launched_again(
    planned: Services, client_of: Client, outside: Outside
) -> None:
    """Its gateway would refuse it for ever, and as `planned` it would keep its demands from a new plan."""
    await client_of("operator").post("/v1/sorties/P1-S1/launch")
    await hear(planned, told("failed"))
    assert (await client_of("operator").post("/v1/sorties/P1-S1/launch")).status_code == 409
    assert (await sortie(client_of))["state"] == "failed"
    assert len(outside.commands) == 1


async def test_one_drone_flies_one_sortie_at_a_time(planned: Services, client_of: Client) -> None:
    assert (await client_of("operator").post("/v1/sorties/P1-S1/launch")).status_code == 200
    reply = await client_of("operator").post("/v1/sorties/P1-S2/launch")
    assert reply.status_code == 409
    assert "no drone at dock-east is free" in reply.json()["message"]
    assert (await client_of("operator").post("/v1/sorties/P1-S1/launch")).status_code == 409
    await hear(planned, told("done"))
    assert (await client_of("operator").post("/v1/sorties/P1-S2/launch")).status_code == 200


async def test_reports_move_the_sortie_and_repeats_do_not(planned: Services, client_of: Client) -> None:
    await client_of("operator").post("/v1/sorties/P1-S1/launch")
    assert await hear(planned, told("flying"), told("flying"), told("landed", landed_from_dock_m=0.4)) == [
        True,
        False,
        True,
    ]
    row = await sortie(client_of)
    assert (row["state"], row["shots"]) == ("landed", {"planned": 2, "taken": 1, "files": 1})
    assert row["started_at"]
    assert row["landed_at"]
    assert [step["state"] for step in row["steps"]] == ["flying", "landed"]


async def test_a_report_that_overtook_the_answer_is_not_undone_by_it(
    planned: Services, client_of: Client, outside: Outside
) -> None:
    real = outside.command

    async def reports_first(gateway: str, order: Any) -> dict[str, Any]:
        await hear(planned, told("preflight"))
        return await real(gateway, order)

    outside.command = reports_first  # type: ignore[method-assign]
    object.__setattr__(planned, "command", reports_first)
    await client_of("operator").post("/v1/sorties/P1-S1/launch")
    assert (await sortie(client_of))["state"] == "preflight"


async def test_a_late_report_does_not_wake_a_sortie_that_is_done(
    planned: Services, client_of: Client
) -> None:
    await hear(planned, told("done"), told("flying"))
    assert (await sortie(client_of))["state"] == "done"


async def test_a_report_of_an_unknown_sortie_is_dropped(services: Services) -> None:
    assert await hear(services, told("flying")) == [False]


@pytest.mark.parametrize("action", ["pause", "resume", "recall"])
async def test_a_flying_sortie_can_be_steered_and_a_planned_one_not(
    planned: Services, client_of: Client, outside: Outside, action: str
) -> None:
    assert (await client_of("operator").post(f"/v1/sorties/P1-S1/{action}")).status_code == 409
    await client_of("operator").post("/v1/sorties/P1-S1/launch")
    assert (await client_of("operator").post(f"/v1/sorties/P1-S1/{action}")).json()["accepted"]
    assert outside.commands[-1]["action"] == action
    assert (await client_of("operator").post("/v1/sorties/P1-S1/explode")).status_code == 422


async def test_a_drone_is_sent_to_another_dock_or_down_by_name_and_the_trail_says_who_and_why(
    planned: Services, client_of: Client, outside: Outside
) -> None:
    operator = client_of("operator")
    await operator.post("/v1/sorties/P1-S1/launch")
    why = {"reason": "a rescue helicopter is coming in"}
    for _ in range(2):
        key = {"Idempotency-Key": "7"}
        reply = await operator.post("/v1/sorties/P1-S1/divert", json={"to": "dock-west"}, headers=key)
        assert reply.json() == {"accepted": True, "reason": None}
    assert (await operator.post("/v1/sorties/P1-S1/abort", json={})).status_code == 422, "not by the way"
    assert (await operator.post("/v1/sorties/P1-S1/abort", json=why)).status_code == 200
    _, divert, abort = outside.commands
    assert (divert["action"], divert["to"], abort["action"]) == ("divert", "dock-west", "abort")
    async with planned.database.read() as session:
        entries = [(entry.action, entry.actor, entry.details) for entry in await audit.page(session)]
    assert ("sortie.divert", "operator desk", {"to": "dock-west"}) in entries
    assert ("sortie.abort", "operator desk", why) in entries


async def test_a_wish_whose_answer_was_lost_goes_out_again_under_the_same_id(
    planned: Services, client_of: Client, outside: Outside
) -> None:
    """The gateway's journal then does it once, however often the operator's program asks."""
    operator, key = client_of("operator"), {"Idempotency-Key": "9"}
    await operator.post("/v1/sorties/P1-S1/launch")
    outside.fault = WorkFailed("no answer")
    asked = operator.post("/v1/sorties/P1-S1/divert", json={"to": "dock-west"}, headers=key)
    assert (await asked).status_code == 503
    outside.fault = None
    asked = operator.post("/v1/sorties/P1-S1/divert", json={"to": "dock-west"}, headers=key)
    assert (await asked).status_code == 200
    _, first, second = outside.commands
    assert first == second


async def test_the_rest_of_a_cut_sortie_is_flown_as_one_of_its_own(
    planned: Services, client_of: Client, outside: Outside
) -> None:
    operator = client_of("operator")
    early = await operator.post("/v1/sorties/P1-S1/rest")
    assert (early.status_code, early.json()["allowed"]) == (409, ["launch"])
    await operator.post("/v1/sorties/P1-S1/launch")
    flying = await operator.post("/v1/sorties/P1-S1/rest")
    assert {"pause", "recall", "divert", "abort", "follow"} < set(flying.json()["allowed"])
    await hear(planned, told("failed"))
    outside.fault = WorkFailed("no answer")
    assert (await operator.post("/v1/sorties/P1-S1/rest")).status_code == 503
    outside.fault = None
    rest = (await operator.post("/v1/sorties/P1-S1/rest")).json()
    assert rest == {"sortie": "P1-S1-R1", "accepted": True, "reason": None}
    _, first, second = outside.commands
    assert first == second
    assert (second["action"], second["sortie"]) == ("resume_from", {"id": "P1-S1"})
    assert second["as"] == {"id": "P1-S1-R1", "drone": "D1"}
    assert (await sortie(client_of, "P1-S1-R1"))["shots"]["planned"] == 1
    again = await operator.post("/v1/sorties/P1-S1/rest")
    assert "is under way" in again.json()["message"]
    await hear(planned, {**told("done"), "sortie": "P1-S1-R1", "id": "rest done"})
    assert (await sortie(client_of, "P1-S1-R1"))["state"] == "done"
    whole = {"planned": 1, "taken": 1, "files": 1}
    await hear(planned, {**told("done"), "sortie": "P1-S1-R1", "id": "whole", "shots": whole})
    nothing = await operator.post("/v1/sorties/P1-S1-R1/rest")
    assert (nothing.status_code, nothing.json()["allowed"]) == (409, [])


async def test_telemetry_older_than_what_is_known_is_dropped(services: Services, clock: FakeClock) -> None:
    new = {"drone": "D1", "at": "2026-06-01T02:00:10+00:00", "state": "flying", "battery_percent": 80}
    old = {**new, "at": "2026-06-01T02:00:00+00:00", "state": "docked"}
    async with services.database.write() as session:
        assert [await record_telemetry(session, heard) for heard in (new, old)] == [True, False]
        assert not await record_telemetry(session, {**new, "drone": "D9"})


async def test_a_dock_is_told_of_when_its_door_moves_and_not_every_ten_seconds(
    services: Services, client_of: Client
) -> None:
    heard = {"dock": "dock-east", "door": "closed", "charger": "on", "drones_in": ["D1"]}
    states = [("closed", 0), ("closed", 10), ("opening", 20)]
    async with services.database.write() as session:
        changed = [
            await record_dock(
                session, {**heard, "door": door, "at": f"2026-06-01T02:00:{s:02}+00:00"}, now=NOW
            )
            for door, s in states
        ]
    assert changed == [True, False, True]
    (row,) = (await client_of("operator").get("/v1/docks")).json()["docks"]
    assert (row["door"], row["name"]["zh-CN"]) == ("opening", "东机巢")
