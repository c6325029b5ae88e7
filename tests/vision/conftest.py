"""One camera over level ground, and pictures written the way drones write them."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
import tifffile
from affine import Affine

from missions.geo import LatLon
from missions.model import Camera, CameraPose, Hazard, Sensor
from vision.georeference import FlatGround
from vision.model import Ellipse, Observation

SHARED = Path(__file__).parents[3] / "shared" / "data"

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="Gridpatrol" xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/"
   xmlns:gridpatrol="urn:gridpatrol:xmp:1"
   drone-dji:GpsLatitude="{lat:+.8f}" drone-dji:GpsLongitude="{lon:+.8f}"
   drone-dji:AbsoluteAltitude="{altitude:+.2f}" drone-dji:RelativeAltitude="{above:+.2f}"
   drone-dji:GimbalYawDegree="{heading:+.2f}" drone-dji:GimbalPitchDegree="{pitch:+.2f}"
   drone-dji:GimbalRollDegree="{roll:+.2f}" drone-dji:FlightYawDegree="{heading:+.2f}"
   gridpatrol:FocalPx="758.3333" gridpatrol:CentreXPx="320" gridpatrol:CentreYPx="256"
   gridpatrol:Camera="GP-1 T" gridpatrol:Sensor="thermal" gridpatrol:DroneId="D1"
   gridpatrol:ShotIndex="7" gridpatrol:TakenAt="2026-06-01T10:00:05.25+08:00"/>
 </rdf:RDF>
</x:xmpmeta>"""


@pytest.fixture
def shared() -> Path:
    """The real pictures, where they are at hand."""
    if not SHARED.is_dir():
        pytest.skip("the real pictures in ../shared/data are not here")
    return SHARED


@pytest.fixture
def camera() -> Camera:
    """The thermal camera of the valley's drones."""
    return Camera.from_optics(
        "GP-1 T", Sensor.THERMAL, width_px=640, height_px=512, focal_mm=9.1, sensor_width_mm=7.68
    )


@pytest.fixture
def pose() -> CameraPose:
    """120 m over ground at 100 m, straight down, top of the picture to the east."""
    return CameraPose(LatLon(30.28, 119.42), 220.0, 90.0, -90.0)


@pytest.fixture
def ground() -> FlatGround:
    return FlatGround(100.0, source="level test ground")


@pytest.fixture
def level_pose(pose: CameraPose) -> CameraPose:
    """The same camera looking at the horizon."""
    return replace(pose, pitch_deg=0.0)


def write_thermal(
    path: Path, celsius: np.ndarray, pose: CameraPose | None, *, above_m: float = 120.0
) -> Path:
    """Write °C as a TIFF with XMP in tag 700; without a pose, a bare one."""
    tags = []
    if pose:
        packet = XMP.format(
            lat=pose.place.lat_deg,
            lon=pose.place.lon_deg,
            altitude=pose.altitude_m,
            above=above_m,
            heading=pose.heading_deg,
            pitch=pose.pitch_deg,
            roll=pose.roll_deg,
        ).encode()
        tags = [(700, 1, len(packet), packet, True)]
    tifffile.imwrite(path, celsius.astype(np.float32), extratags=tags, metadata=None)
    return path


def write_level_dem(path: Path, *, height_m: float = 100.0, crs: str = "EPSG:4326") -> Path:
    """Write level ground around the usual place as a GeoTIFF of heights above sea level."""
    grid = Affine(0.0001, 0.0, 119.417, 0.0, -0.0001, 30.283)
    shape = {"height": 60, "width": 60, "count": 1, "dtype": "float32"}
    with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=grid, **shape) as raster:
        raster.write(np.full((1, 60, 60), height_m, np.float32))
    return path


def meadow(seed: int = 1) -> np.ndarray:
    """Return a cool meadow in °C with the noise of a microbolometer."""
    rng = np.random.default_rng(seed)
    return (22 + rng.normal(0, 0.6, (512, 640))).astype(np.float32)


@pytest.fixture
def seen_fire() -> Observation:
    """A fire seen at the usual place by one drone."""
    return Observation(
        id="o1",
        hazard=Hazard.FIRE,
        confidence=0.8,
        place=LatLon(30.28, 119.42),
        ellipse=Ellipse(7.0, 7.0, 0.0),
        seen_at=datetime(2026, 6, 1, 2, 0, tzinfo=UTC),
        shot="shot1",
        detector="test 1",
        area_m2=2.0,
        temp_max_c=400.0,
        drone="D1",
    )
