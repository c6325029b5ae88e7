"""`gridpatrol baseline`: a flight makes a place's baseline, the next one waits until a person confirms it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio

from missions.geo import LatLon
from missions.program import main
from tests.vision.conftest import XMP
from tests.vision.grounds_drawn import texture
from vision.baselines import Before
from vision.baselines.opening import opened
from vision.chart import Grid, grid_around

HERE, ABOVE_M, GROUND_M = LatLon(30.28, 119.42), 120.0, 100.0
PIXEL_M = ABOVE_M / 758.3333
SHIFT_PX = 190


@pytest.fixture
def flight(tmp_path: Path) -> Path:
    """Two pictures straight down that overlap, over level ground."""
    ground = np.clip(110 + 25 * texture((512, 640 + SHIFT_PX), seed=5, wave_px=3.0), 0, 255).astype(np.uint8)
    folder = tmp_path / "flight"
    folder.mkdir()
    for i in (0, 1):
        east_deg = i * SHIFT_PX * PIXEL_M / (111_320.0 * np.cos(np.radians(HERE.lat_deg)))
        part = ground[:, i * SHIFT_PX : i * SHIFT_PX + 640]
        said = XMP.format(
            lat=HERE.lat_deg, lon=HERE.lon_deg + east_deg, altitude=GROUND_M + ABOVE_M, above=ABOVE_M,
            heading=0.0, pitch=-90.0, roll=0.0,
        ).replace('"thermal"', '"rgb"')  # fmt: skip
        _jpeg(folder / f"GP_{i:04d}_W.JPG", np.dstack([part] * 3), said)
    return folder


@pytest.fixture
def dem(tmp_path: Path) -> Path:
    """Level ground around the flight."""
    grid, path = grid_around((HERE,), pixel_m=20.0, rim_m=500.0), tmp_path / "dem.tif"
    with rasterio.open(path, "w", driver="GTiff", dtype="float32", **_shape(grid)) as raster:
        raster.write(np.full((1, *grid.shape), GROUND_M, np.float32))
    return path


def test_the_first_flight_makes_the_baseline_and_the_next_waits_for_a_person(flight, dem, tmp_path, capsys):
    store = tmp_path / "kept"
    made = [
        "baseline",
        "add",
        str(flight),
        "--place",
        "wood",
        "--dem",
        str(dem),
        "--store",
        str(store),
        "--json",
    ]
    assert main(made) == 0
    first = json.loads(capsys.readouterr().out)
    assert (first["version"], first["standing"], first["frames"], first["registered"]) == (
        "v0001",
        "stands",
        2,
        1,
    )
    assert main(made) == 0
    assert json.loads(capsys.readouterr().out)["standing"] == "candidate"
    assert main(["baseline", "confirm", "wood", "v0002", "--by", "Li Na", "--store", str(store)]) == 0
    capsys.readouterr()
    assert main(["baseline", "list", "--store", str(store), "--json"]) == 0
    versions = json.loads(capsys.readouterr().out)["versions"]
    assert [v["standing"] for v in versions] == ["superseded", "stands"]
    found = opened(store).before(grid_around((HERE,), pixel_m=0.5, rim_m=20.0))
    assert isinstance(found, Before)
    assert found.chart.known.mean() > 0.9


def test_what_cannot_be_made_listed_or_confirmed_is_said(flight, dem, tmp_path, capsys):
    far = tmp_path / "far"
    far.mkdir()
    (far / "note.JPG").write_bytes(b"no picture")
    with_dem = ["--place", "wood", "--dem", str(dem), "--store", str(tmp_path / "kept")]
    assert main(["baseline", "add", str(far), *with_dem]) == 2
    assert "no baseline can be made" in capsys.readouterr().err
    assert main(["baseline", "list", "--store", str(tmp_path / "none")]) == 2
    assert "--store" in capsys.readouterr().err
    assert main(["baseline", "confirm", "wood", "v0001", "--by", "Li Na", "--store", str(tmp_path)]) == 2
    assert "no version v0001" in capsys.readouterr().err


def _jpeg(path: Path, pixels: np.ndarray, xmp: str) -> None:
    """Write a picture with its XMP packet in front, as cameras do."""
    done, data = cv2.imencode(".jpg", pixels)
    assert done
    packet = b"http://ns.adobe.com/xap/1.0/\0" + xmp.encode()
    raw = data.tobytes()
    path.write_bytes(raw[:2] + b"\xff\xe1" + (len(packet) + 2).to_bytes(2, "big") + packet + raw[2:])


def _shape(grid: Grid) -> dict[str, object]:
    return {
        "width": grid.width,
        "height": grid.height,
        "count": 1,
        "crs": grid.crs,
        "transform": grid.transform,
    }
