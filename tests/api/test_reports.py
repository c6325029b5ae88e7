"""What a resident or ranger reports travels the road of a work order, seen by its tracking code."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from lxml import etree

from api.services import Services
from api.verification import Outcome
from tests.api.test_orders import act, jpeg, settle
from tests.api.world import FOREST

Client = Callable[[str | None], httpx.AsyncClient]

SMOKE = {"service_code": "fire", "lat": str(FOREST.lat_deg), "long": str(FOREST.lon_deg), "datum": "wgs84"}


async def reported(client: httpx.AsyncClient, **more: str) -> dict[str, Any]:
    reply = await client.post("/v1/reports", data={**SMOKE, "description": "火", **more})
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


async def test_a_report_goes_from_received_to_rated_and_earns_points(
    services: Services, client_of: Client
) -> None:
    resident, forestry = client_of(None), client_of("forestry")
    taken = await reported(resident, reporter="+86 138 0000")
    track = f"/v1/reports/track/{taken['code']}"
    assert (await resident.get(track)).json()["state"] == "received"
    accepted = (await forestry.post(f"/v1/reports/{taken['id']}/accept", json={})).json()
    assert accepted["state"] == "accepted"
    order = accepted["order"]
    await act(forestry, order, "dispatch", assignee="T")
    assert (await resident.get(track)).json()["state"] == "dispatched"
    await act(forestry, order, "arrive")
    await act(forestry, order, "resolve", verdict="forest_fire")
    await settle(services, accepted["incident"], Outcome.CLEAN)
    await act(forestry, order, "close")
    done = (await resident.get(track)).json()
    assert [step["state"] for step in done["steps"]] == ["received", "accepted", "dispatched", "done"]
    assert "by" not in done["steps"][0]
    rated = await resident.post(f"{track}/rate", json={"rating": 5, "comment": "quick"})
    assert rated.json()["state"] == "rated"
    earned = (await resident.get(f"{track}/points")).json()
    assert (earned["total"], [e["report"] for e in earned["entries"]]) == (10, [taken["id"]])
    other = await reported(resident, reporter="+86 138 0000")
    told = (await resident.get(f"/v1/reports/track/{other['code']}/points")).json()
    assert told == {"total": 10, "entries": []}, "a number does not open its owner's reports"


async def test_a_report_that_proves_false_earns_nothing(services: Services, client_of: Client) -> None:
    resident, forestry = client_of(None), client_of("forestry")
    taken = await reported(resident, reporter="a@b.example")
    accepted = (await forestry.post(f"/v1/reports/{taken['id']}/accept", json={})).json()
    for name, wish in (("dispatch", {"assignee": "T"}), ("arrive", {}), ("resolve", {"verdict": "false"})):
        await act(forestry, accepted["order"], name, **wish)
    await settle(services, accepted["incident"], Outcome.CLEAN)
    await act(forestry, accepted["order"], "close")
    points = (await resident.get(f"/v1/reports/track/{taken['code']}/points")).json()
    assert points == {"total": 0, "entries": []}


async def test_a_rejected_report_says_why_and_goes_no_further(client_of: Client) -> None:
    resident, forestry = client_of(None), client_of("forestry")
    taken = await reported(resident)
    path = f"/v1/reports/{taken['id']}"
    assert (await forestry.post(f"{path}/reject", json={})).status_code == 422
    assert (await forestry.post(f"{path}/reject", json={"note": "a kitchen"})).json()["state"] == "rejected"
    again = await forestry.post(f"{path}/accept", json={})
    assert (again.status_code, again.json()["allowed"]) == (409, [])
    tracked = (await resident.get(f"/v1/reports/track/{taken['code']}")).json()
    assert tracked["steps"][-1]["note"] == "a kitchen"


async def test_a_report_is_its_agencys_alone_and_nobody_guesses_a_code(client_of: Client) -> None:
    taken = await reported(client_of(None))
    assert (await client_of("village").get(f"/v1/reports/{taken['id']}")).status_code == 404
    assert (await client_of("village").get("/v1/reports")).json() == {"reports": []}
    assert (await client_of(None).get(f"/v1/reports/{taken['id']}")).status_code == 401
    assert (await client_of(None).get("/v1/reports/track/AAAA-AAAA-AAAA")).status_code == 404


async def test_a_stranger_is_no_ranger_whatever_the_fields_say(services: Services, client_of: Client) -> None:
    """A ranger's word alone raises an alert; a resident's asks for a look."""
    await reported(client_of(None), witness="ranger")
    assert (await client_of("forestry").get("/v1/alerts")).json()["alerts"] == []
    reviews = (await client_of("forestry").get("/v1/review")).json()["reviews"]
    assert [r["agency"] for r in reviews] == ["forestry"]


@pytest.mark.parametrize(
    "wrong", [{"service_code": "dragon"}, {"lat": "north"}, {"lat": "95"}, {"long": ""}, {"datum": "moon"}]
)
async def test_what_cannot_be_read_is_refused_in_words(client_of: Client, wrong: dict[str, str]) -> None:
    reply = await client_of(None).post("/v1/reports", data={**SMOKE, **wrong})
    assert reply.status_code == 422
    assert reply.json()["message"]


async def test_open311_in_json_and_xml(client_of: Client) -> None:
    hotline = client_of(None)
    listed = (await hotline.get("/open311/v2/services.json")).json()
    assert {"fire", "smoke", "flood"} <= {entry["service_code"] for entry in listed}
    assert etree.fromstring((await hotline.get("/open311/v2/services.xml")).content).tag == "services"
    files = {"media": ("a.jpg", jpeg(), "image/jpeg")}
    made = await hotline.post("/open311/v2/requests.xml", data={**SMOKE, "description": "smoke"}, files=files)
    assert made.status_code == 201
    (request,) = etree.fromstring(made.content)
    code = (request.findtext("service_notice") or "").split()[-1].rstrip(".")
    name = request.findtext("service_request_id")
    token = (await hotline.get(f"/open311/v2/tokens/{code}.json")).json()
    assert token == [{"service_request_id": name, "token": code}]
    (mine,) = (await hotline.get(f"/open311/v2/requests/{code}.json")).json()
    assert (mine["status"], mine["service_code"]) == ("open", "fire")
    assert (await hotline.get("/open311/v2/requests.json")).status_code == 401
    (seen,) = (await client_of("forestry").get("/open311/v2/requests.json?status=open")).json()
    assert seen["service_request_id"] == name
    assert (await client_of("village").get("/open311/v2/requests.json")).json() == []


async def test_the_same_key_reports_once(client_of: Client) -> None:
    key = {"Idempotency-Key": "phone-17"}
    replies = [await client_of(None).post("/v1/reports", data=SMOKE, headers=key) for _ in range(2)]
    assert replies[0].json() == replies[1].json()
    assert len((await client_of("forestry").get("/v1/reports")).json()["reports"]) == 1
