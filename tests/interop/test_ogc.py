"""GDAL's own reader meets /ogc, and QGIS would: it lists, reads, filters, and sees what its token may see."""

import asyncio
import itertools
import json
import shutil
from pathlib import Path

import pyogrio
import pytest

from api.services import Services
from tests.interop.serving import Served, serving

needs_gdal = pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="gdal-bin is not installed")

PATIENCE_S = 60


async def ogrinfo(served: Served, who: str, *more: str) -> str:
    """Return what `ogrinfo -ro OAPIF:…/ogc` prints for somebody's token."""
    process = await asyncio.create_subprocess_exec(
        "ogrinfo",
        "-ro",
        f"OAPIF:{served.address}/ogc",
        *more,
        "--config",
        "GDAL_HTTP_HEADERS",
        f"Authorization: Bearer {served.tokens[who]}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(PATIENCE_S):
        out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


@needs_gdal
async def test_gdal_lists_and_reads_the_collections(services: Services) -> None:
    async with serving(services) as served:
        listed = await ogrinfo(served, "operator")
        for name in ("incidents", "alerts", "coverage", "docks", "sorties"):
            assert name in listed
        read = await ogrinfo(served, "operator", "-al", "incidents")
        assert "Feature Count: 2" in read
        assert "severity (String) = orange" in read
        assert "POINT (119.415 30.28)" in read


@needs_gdal
async def test_gdal_sees_what_its_token_may_see(services: Services) -> None:
    async with serving(services) as served:
        listed = await ogrinfo(served, "forestry")
        assert "docks" not in listed
        assert "sorties" not in listed
        assert "Feature Count: 1" in await ogrinfo(served, "forestry", "-al", "incidents")
        boxed = ("-spat", "119.42", "30.27", "119.43", "30.29")
        assert "Feature Count: 0" in await ogrinfo(served, "forestry", "-al", *boxed, "incidents")
        assert "Feature Count: 1" in await ogrinfo(served, "village", "-al", *boxed, "incidents")


ASKED: list[tuple[dict[str, str], int]] = [
    ({}, 2),
    ({"filter": "severity = 'red'"}, 1),
    ({"filter": "S_INTERSECTS(geometry, BBOX(119.41, 30.27, 119.42, 30.29)) AND looks >= 1"}, 1),
    ({"filter": '{"op":"=","args":[{"property":"severity"},"red"]}', "filter-lang": "cql2-json"}, 1),
    ({"severity": "orange"}, 1),
    ({"datetime": "2026-06-01T00:00:00Z/.."}, 2),
    ({"datetime": "../2026-05-01T00:00:00Z"}, 0),
    ({"bbox": "119.42,30.27,119.43,30.29"}, 1),
    (
        {
            "bbox": "30.27,119.42,30.29,119.43",
            "bbox-crs": "http://www.opengis.net/def/crs/EPSG/0/4326",
        },
        1,
    ),
]


async def test_features_are_asked_for_by_place_time_and_filter(services: Services) -> None:
    async with serving(services) as served, served.client("operator") as client:
        for query, found in ASKED:
            answer = await client.get("/ogc/collections/incidents/items", params=query)
            assert answer.headers["content-type"] == "application/geo+json"
            assert answer.json()["numberReturned"] == found, query


UNREADABLE: list[dict[str, str]] = [
    {"filter": "severity = = 1"},
    {"filter": "nosuch = 1"},
    {"filter": "x", "filter-lang": "sql"},
    {"bbox": "1,2,3"},
    {"bbox": "119,31,120,30"},
    {"bbox": "nan,1,2,3"},
    {"datetime": "yesterday"},
    {"crs": "http://example.com/crs"},
    {"nosuch": "1"},
]


async def test_what_cannot_be_read_is_a_bad_request_that_says_why(services: Services) -> None:
    async with serving(services) as served, served.client("operator") as client:
        for query in UNREADABLE:
            answer = await client.get("/ogc/collections/incidents/items", params=query)
            assert answer.status_code == 400, query
            assert answer.json()["message"]


async def test_pages_follow_each_other_without_a_gap_and_in_another_system(services: Services) -> None:
    async with serving(services) as served, served.client("operator") as client:
        mercator = "http://www.opengis.net/def/crs/EPSG/0/3857"
        url: str | None = f"{served.address}/ogc/collections/incidents/items?limit=1&crs={mercator}"
        seen = []
        while url:
            page = await client.get(url)
            assert page.headers["content-crs"] == f"<{mercator}>"
            seen += page.json()["features"]
            url = next((link["href"] for link in page.json()["links"] if link["rel"] == "next"), None)
        assert len({feature["id"] for feature in seen}) == 2
        assert all(13_292_000 < feature["geometry"]["coordinates"][0] < 13_296_000 for feature in seen)


async def test_without_a_token_nothing_is_told(services: Services) -> None:
    async with serving(services) as served, served.client(None) as client:
        for path in ("", "/collections", "/collections/incidents/items"):
            assert (await client.get(f"{served.address}/ogc{path}")).status_code == 401


async def test_a_bulk_file_holds_the_callers_rows(services: Services, tmp_path: Path) -> None:
    async with serving(services) as served, served.client(None) as client:
        asked = itertools.product(("geojson", "gpkg", "csv"), (("operator", 2), ("forestry", 1)))
        for kind, (who, many) in asked:
            url = f"{served.address}/v1/exports/incidents.{kind}"
            answer = await client.get(url, headers=served.header(who))
            file = tmp_path / f"{who}.{kind}"
            file.write_bytes(answer.content)
            if kind == "csv":
                lines = file.read_text("utf-8-sig").splitlines()
                assert lines[0].startswith("id,lat_deg,lon_deg,hazard,severity")
                assert len(lines) == 1 + many
            else:
                found = await asyncio.to_thread(pyogrio.raw.read, file)
                assert len(found[3][0]) == many
        forbidden = await client.get(
            f"{served.address}/v1/exports/docks.{kind}", headers=served.header("forestry")
        )
        assert forbidden.status_code == 404


async def test_the_queryables_are_those_a_filter_may_name(services: Services) -> None:
    async with serving(services) as served, served.client("operator") as client:
        answer = await client.get("/ogc/collections/alerts/queryables")
        assert {"agency", "told_at", "geometry"} <= json.loads(answer.text)["properties"].keys()
