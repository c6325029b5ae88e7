"""How a picture comes in, is promised, and is looked at."""

import io
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
import tifffile
from PIL import Image

from api.app import create_app
from api.bus import BusDown
from api.intake import publish_waiting
from api.services import Services
from fleet.frames import UNPLANNED
from tests.api.conftest import Outside
from tests.api.world import FOREST, PICTURE, fire, frame_form, frame_id, report

Client = Callable[[str | None], httpx.AsyncClient]


async def test_a_frame_is_kept_published_and_can_be_read_back(client_of: Client, outside: Outside) -> None:
    reply = await client_of("gateway").post("/v1/frames", **frame_form())
    assert reply.status_code == 201
    assert outside.published == [(f"frames.new.{frame_id(1)}", frame_id(1))]
    picture = await client_of("operator").get(f"/v1/frames/{frame_id(1)}/picture")
    assert picture.content == PICTURE
    assert picture.headers["content-type"] == "image/tiff"


async def test_a_frame_that_no_plan_holds_goes_before_those_that_wait(
    client_of: Client, outside: Outside
) -> None:
    await client_of("gateway").post("/v1/frames", **frame_form(shot=UNPLANNED + 7))
    assert outside.published == [(f"frames.first.{frame_id(1)}", frame_id(1))]


async def test_a_repeated_frame_is_not_published_again(client_of: Client, outside: Outside) -> None:
    statuses = [(await client_of("gateway").post("/v1/frames", **frame_form())).status_code for _ in range(3)]
    assert statuses == [201, 200, 200]
    assert len(outside.published) == 1


async def test_the_same_id_with_other_bytes_is_refused(client_of: Client) -> None:
    await client_of("gateway").post("/v1/frames", **frame_form())
    assert (await client_of("gateway").post("/v1/frames", **frame_form(data=b"other"))).status_code == 409


async def test_a_frame_is_promised_also_when_the_bus_is_down_and_published_later(
    client_of: Client, services: Services, outside: Outside
) -> None:
    outside.fault = BusDown("no bus")
    assert (await client_of("gateway").post("/v1/frames", **frame_form())).status_code == 201
    assert await publish_waiting(services) == 0
    outside.fault = None
    assert await publish_waiting(services) == 1
    assert await publish_waiting(services) == 0
    assert outside.published == [(f"frames.new.{frame_id(1)}", frame_id(1))]


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "0" * 64},
        {"bytes": 3},
        {"id": "../../etc/passwd"},
        {"taken_at": "2026-06-01T02:00:00"},
        {"shot": -1},
        {"sensor": "radar"},
        {"drone": "D" * 201},
        {"pose": {"lat_deg": 91, "lon_deg": 0}},
    ],
)
async def test_a_frame_that_differs_is_refused(client_of: Client, changes: dict[str, Any]) -> None:
    reply = await client_of("gateway").post("/v1/frames", **frame_form(**changes))
    assert reply.status_code == 422
    assert "Traceback" not in reply.text


@pytest.mark.parametrize(
    "form",
    [
        {"data": {"meta": "{"}, "files": {"file": b"x"}},
        {"data": {"meta": "{}"}},
        {"files": {"file": b"x"}},
        {"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}},
        {"content": b"junk", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"json": {"meta": 1}},
    ],
)
async def test_an_unreadable_form_is_refused_in_words(client_of: Client, form: dict[str, Any]) -> None:
    reply = await client_of("gateway").post("/v1/frames", **form)
    assert reply.status_code in (400, 422)
    assert reply.json()["message"]


async def test_a_name_cannot_lead_out_of_the_store(client_of: Client, services: Services) -> None:
    reply = await client_of("gateway").post("/v1/frames", **frame_form(name="x/../../../evil.t/if"))
    assert reply.status_code == 201
    assert services.pictures.folder
    kept = [p for p in services.pictures.folder.rglob("*") if p.is_file()]
    assert [p.name for p in kept] == [f"{frame_id(1)}.bin"]


async def test_a_body_over_the_limit_is_refused_before_it_is_read(services: Services) -> None:
    app = create_app(services)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        headers = {"Content-Length": str(2**40)}
        assert (await client.post("/v1/frames", content=b"", headers=headers)).status_code == 413
        assert (await client.post("/v1/session", content=b"x" * 70_000)).status_code == 413

        async def parts() -> Any:
            yield b"x"

        assert (await client.post("/v1/frames", content=parts())).status_code == 413


async def test_what_was_found_is_drawn_into_the_operators_picture_once(
    client_of: Client, services: Services
) -> None:
    celsius = np.full((64, 80), 20.0, np.float32)
    celsius[10:20, 10:20] = 500.0
    file = io.BytesIO()
    tifffile.imwrite(file, celsius)
    await report(services, 1, fire(1, FOREST))
    await services.pictures.put("frames/1.tif", file.getvalue())
    path = f"/v1/frames/{frame_id(1)}/marked.jpg"
    drawn = await client_of("operator").get(path)
    assert drawn.status_code == 200, drawn.text
    assert Image.open(io.BytesIO(drawn.content)).format == "JPEG"
    assert (await client_of("forestry").get(path)).content == drawn.content, "all that is in it is forestry's"
    await services.pictures.delete("frames/1.tif")
    assert (await client_of("operator").get(path)).content == drawn.content
    assert (await client_of("forestry").get(path)).status_code == 404, "an agency's is drawn anew each time"


async def test_a_frame_nobody_has_looked_at_has_no_marked_picture_yet(client_of: Client) -> None:
    await client_of("gateway").post("/v1/frames", **frame_form())
    assert (await client_of("operator").get(f"/v1/frames/{frame_id(1)}/marked.jpg")).status_code == 409


async def test_a_picture_that_cannot_be_drawn_says_so(client_of: Client, services: Services) -> None:
    await report(services, 1, fire(1, FOREST))
    await services.pictures.put("frames/1.tif", b"no picture")
    assert (await client_of("operator").get(f"/v1/frames/{frame_id(1)}/marked.jpg")).status_code == 409
