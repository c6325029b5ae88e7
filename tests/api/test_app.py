"""The front door: what it says of itself, of wrong input, and of its own faults."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from structlog.testing import capture_logs

from api.app import create_app
from api.hillshade import shade
from api.intake import parsed
from api.services import Options, Services
from api.store import tokens
from api.store.tokens import Role
from tests.api.world import NOW

Client = Callable[[str | None], httpx.AsyncClient]


def test_every_route_says_what_it_is_for_and_every_body_has_an_example(services: Services) -> None:
    schema = create_app(services).openapi()
    for path, methods in schema["paths"].items():
        for method, route in methods.items():
            assert route["description"], (method, path)
    bodies = [name for name in schema["components"]["schemas"] if name.endswith(("In", "Out", "Login"))]
    nested = {"EllipseOut", "StepOut", "ObservationOut", "DeliveryOut", "DetectionOut"}
    nested |= {"SourceOut", "ArrivalOut", "GrowthOut"}
    for name in set(bodies) - nested:
        assert schema["components"]["schemas"][name].get("examples"), name


@pytest.mark.parametrize(
    ("method", "path", "kind", "body"),
    [
        ("POST", "/v1/session", "application/json", b"{"),
        ("POST", "/v1/session", "application/json", b"[]"),
        ("POST", "/v1/session", "application/json", b'{"token": 1}'),
        ("POST", "/v1/session", "application/json", b'{"token": ""}'),
        ("POST", "/v1/session", "application/json", b"\xff\xfe"),
        ("POST", "/v1/session", "text/plain", b"token"),
        ("POST", "/v1/plans", "application/json", b'{"seed": -1}'),
        ("POST", "/v1/plans", "application/json", b'{"seed": 99999999999999999999}'),
        ("POST", "/v1/plans", "application/json", b'{"sed": 1}'),
        ("PUT", "/v1/agencies/forestry/webhook", "application/json", b"{}"),
        ("GET", "/v1/frames?limit=0", "", b""),
        ("GET", "/v1/frames?limit=x", "", b""),
        ("GET", "/v1/frames/%00", "", b""),
        ("GET", "/v1/incidents/..%2f..%2fetc", "", b""),
        ("GET", "/v1/events?after=-1", "", b""),
        ("GET", "/v1/nothing", "", b""),
        ("PATCH", "/v1/alerts", "", b""),
    ],
)
async def test_wrong_input_is_answered_in_words_and_without_a_trace(
    client_of: Client, method: str, path: str, kind: str, body: bytes
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    reply = await client_of("operator").request(method, path, content=body, headers=headers)
    assert 400 <= reply.status_code < 500
    assert set(reply.json()) == {"error", "message"}
    assert "Traceback" not in reply.text
    assert ".py" not in reply.text


async def test_what_was_sent_is_not_repeated_in_the_answer(client_of: Client) -> None:
    """A token put into the wrong field must not end up in somebody's log."""
    reply = await client_of(None).post("/v1/session", json={"token": ["gp_secret"]})
    assert reply.status_code == 422
    assert "gp_secret" not in reply.text


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer gp_wrong", "Bearer é"])
async def test_a_wrong_token_is_a_plain_401(client_of: Client, header: str) -> None:
    reply = await client_of(None).get("/v1/me", headers={"Authorization": header.encode()})
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"


async def test_a_fault_of_ours_is_logged_and_answered_without_its_insides(services: Services) -> None:
    async def fails(seed: int | None) -> None:
        raise KeyError("hidden detail")

    async with services.database.write() as session:
        token = await tokens.issue(session, role=Role.OPERATOR, name="desk", now=NOW)
    transport = httpx.ASGITransport(
        create_app(replace(services, request_plan=fails)), raise_app_exceptions=False
    )
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        with capture_logs() as logged:
            reply = await client.post("/v1/plans")
    assert reply.status_code == 500
    assert reply.json()["error"] == "internal"
    assert "hidden detail" not in reply.text
    assert [(entry["event"], entry["path"]) for entry in logged] == [("request failed", "/v1/plans")]


async def test_the_background_is_a_shaded_picture_clear_where_nothing_is_known(client_of: Client) -> None:
    reply = await client_of("operator").get("/v1/site/hillshade.png")
    picture = np.asarray(Image.open(io.BytesIO(reply.content)))
    assert reply.headers["content-type"] == "image/png"
    assert picture[2, 2, 1] == 0
    assert picture[-1, -1, 1] == 255
    middle = picture.shape[0] // 2, picture.shape[1] // 2
    west_slope = picture[middle[0], middle[1] - picture.shape[1] // 6, 0]
    east_slope = picture[middle[0], middle[1] + picture.shape[1] // 6, 0]
    assert west_slope > east_slope, "the light comes from the upper left"


def test_level_ground_is_evenly_lit_and_a_north_slope_brighter_than_a_south_slope() -> None:
    rows = np.arange(5.0)[:, None] * np.ones((1, 5))
    level, falls_north, falls_south = (shade(h, pixel_m=1.0) for h in (rows * 0, rows, -rows))
    assert np.ptp(level) == 0
    assert falls_north.mean() > level.mean() > falls_south.mean()


async def test_the_site_names_its_corners_and_bounds(client_of: Client) -> None:
    site: dict[str, Any] = (await client_of("operator").get("/v1/site")).json()
    west, south, east, north = site["bounds"]
    assert site["hillshade"]["corners"] == [[west, north], [east, north], [east, south], [west, south]]
    rings = [f["geometry"]["coordinates"][0] for f in site["layers"]["features"]]
    assert all(ring[0] == ring[-1] for ring in rings)


@pytest.mark.parametrize("path", ["/v1/health", "/v1/me", "/v1/nothing", "/v1/site/hillshade.png"])
async def test_every_answer_tells_browsers_what_may_be_done_with_it(client_of: Client, path: str) -> None:
    for role in ("operator", None):
        headers = (await client_of(role).get(path)).headers
        assert "script-src 'self';" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "no-store" in headers["cache-control"] or "private" in headers["cache-control"]


def test_the_example_of_a_frame_is_one_the_service_understands(services: Services) -> None:
    paths = create_app(services).openapi()["paths"]
    form = paths["/v1/frames"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert parsed(form["example"]["meta"]).name == "GP_0031_T.TIF"


async def test_the_page_is_served_beside_the_api_where_there_is_one(
    services: Services, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text("<h1>page</h1>")
    app = create_app(replace(services, options=Options(console=tmp_path)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        page = await client.get("/")
        assert "page" in page.text
        assert page.headers["cache-control"] == "no-cache"
        assert (await client.get("/v1/me")).status_code == 401
        assert (await client.get("/../../etc/passwd")).status_code == 404


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1969-12-31T23:59:59Z"]
)
async def test_a_time_that_utc_cannot_tell_is_refused(client_of: Client, at: str) -> None:
    mute = {"hazards": ["fire"], "reason": "kiln", "ends_at": at}
    reply = await client_of("forestry").post("/v1/mutes", json=mute)
    assert reply.status_code == 422
    assert "1970" in reply.json()["message"]
