"""Every maker's way of saying where a picture was taken."""

import math
from datetime import UTC, datetime

import pytest
from PIL import Image

from missions.geo import Datum, geoid_m
from missions.model import Sensor
from vision.frame import load
from vision.metadata import of_parts, xmp
from vision.metadata.cameras import identify
from vision.metadata.dialects import read
from vision.metadata.exif import Exif
from vision.metadata.known import KNOWN
from vision.metadata.reading import Reading, pose_of

EXIF = Exif(make="X", lat_deg=30.0, lon_deg=120.0, altitude_m=150.0)


def packet(attributes: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        f"{attributes}/></rdf:RDF></x:xmpmeta>"
    ).encode()


def test_attributes_elements_and_nested_resources_become_one_flat_table():
    text = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
      xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description xmlns:a="urn:a" a:One="1"><a:Two>2</a:Two>
      <a:Turn rdf:parseType="Resource"><a:Yaw>3</a:Yaw></a:Turn><a:Spin a:Yaw="4"/>
      </rdf:Description></rdf:RDF></x:xmpmeta>"""
    text = text.replace(b"</rdf:D", b"<a:D>" * 4000 + b"</a:D>" * 4000 + b"</rdf:D")
    assert xmp.properties(text) == {"a:One": "1", "a:Two": "2", "a:Turn/Yaw": "3", "a:Spin/Yaw": "4"}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"no xml",
        b"<x:xmpmeta",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
    ],
)
def test_a_packet_that_is_no_xml_or_is_an_attack_says_nothing(text):
    assert xmp.properties(text) == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [("+12.50", 12.5), ("-86831/1600", -54.269375), ("", None), ("north", None), ("1/0", None), (None, None)],
)
def test_numbers_come_as_decimals_and_fractions(text, value):
    assert xmp.number(text) == (None if value is None else pytest.approx(value))


def test_dji_angles_are_taken_as_they_are():
    values = {
        "drone-dji:GpsLatitude": "+30.28",
        "drone-dji:GpsLongitude": "+119.42",
        "drone-dji:AbsoluteAltitude": "+221.5",
        "drone-dji:RelativeAltitude": "+120.1",
        "drone-dji:GimbalYawDegree": "-140.0",
        "drone-dji:GimbalPitchDegree": "-90.0",
        "drone-dji:GimbalRollDegree": "+0.5",
    }
    pose = pose_of(read(values, EXIF))
    assert not isinstance(pose, str)
    assert (pose.heading_deg, pose.pitch_deg, pose.roll_deg) == (220.0, -90.0, 0.5)
    assert pose.altitude_m == 221.5


def test_an_rtk_height_is_over_the_ellipsoid_and_is_converted():
    values = {
        "drone-dji:GimbalPitchDegree": "-45",
        "drone-dji:GimbalYawDegree": "0",
        "drone-dji:AbsoluteAltitude": "100",
        "drone-dji:AltitudeType": "RtkAlt",
        "drone-dji:RtkFlag": "50",
    }
    reading = read(values, EXIF)
    assert reading.altitude is not None
    assert reading.altitude.datum is Datum.ELLIPSOID
    pose = pose_of(reading)
    assert not isinstance(pose, str)
    assert pose.altitude_m == pytest.approx(100 - float(geoid_m(30.0, 120.0)))
    assert pose.error.horizontal_m < 0.1


def test_autels_misspelt_longitude_is_read():
    values = {
        "drone:GpsLatitude": "30.1",
        "drone:GpsLongtitude": "120.2",
        "drone:GimbalPitchDegree": "-30",
        "drone:GimbalYawDegree": "10",
    }
    reading = read(values, EXIF)
    assert reading.place is not None
    assert reading.place.lon_deg == 120.2


def test_old_autels_count_pitch_from_straight_down():
    exif = Exif(make="Autel Robotics", lat_deg=30.0, lon_deg=120.0, altitude_m=150.0)
    reading = read({"Camera:Pitch": "60", "Camera:Yaw": "12", "Camera:Roll": "0"}, exif)
    assert reading.pitch_deg == -30.0


def test_an_anafi_ai_gives_its_height_over_the_ellipsoid():
    values = {"drone-parrot:CameraPitchDegree": "-30", "drone-parrot:CameraYawDegree": "5"}
    ai = Exif(make="Parrot", model="ANAFI Ai", lat_deg=30.0, lon_deg=120.0, altitude_m=150.0)
    older = Exif(make="Parrot", model="ANAFI", lat_deg=30.0, lon_deg=120.0, altitude_m=150.0)
    assert read(values, ai).altitude.datum is Datum.ELLIPSOID
    assert read(values, older).altitude.datum is Datum.AMSL


def test_plain_exif_gives_a_place_and_says_what_is_missing():
    reading = read({}, EXIF)
    assert reading.place is not None
    assert "which way it looked" in str(pose_of(reading))


@pytest.mark.parametrize(
    ("exif", "missing"),
    [
        (Exif(), "where it was taken"),
        (Exif(lat_deg=30.0, lon_deg=120.0), "how high"),
        (Exif(lat_deg=0.0, lon_deg=0.0), "where"),
        (Exif(lat_deg=95.0, lon_deg=0.5), "where it was taken"),
    ],
)
def test_what_a_file_leaves_out_is_named(exif, missing):
    assert missing in str(pose_of(read({}, exif)))


def test_a_doubtful_direction_is_no_pose():
    assert (
        pose_of(Reading("x", doubt="no", place=read({}, EXIF).place, altitude=read({}, EXIF).altitude))
        == "no"
    )


@pytest.mark.parametrize(("zone", "hours"), [("+08:00", 25), ("", 2**32 - 1)])
def test_a_time_that_cannot_be_is_none(zone, hours):
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x9003: "0001:01:01 00:00:00", 0x9011: zone})
    exif.get_ifd(0x8825).update({29: "2026:06:01", 7: (hours, 0, 0)})
    said = packet('xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreateDate="0001-01-01T00:00:00+08:00"')
    assert not of_parts(said, exif.tobytes()[6:], width_px=8, height_px=8, thermal=False).zone_stated


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "source", "heading", "pitch", "focal_px", "taken_at"),
    [
        (
            "openathena/S1008521.JPG",
            "Skydio",
            0.1,
            -59.7,
            1516.7,
            datetime(2023, 12, 16, 20, 19, 45, tzinfo=UTC),
        ),
        ("openathena/skydio-catilina.jpg", "Skydio", 127.4, -7.5, 910.0, None),
        ("openathena/teal2_img_ir_00015.jpg", "Teledyne FLIR", 320.6, -58.2, 1133.3, None),
        ("dji_m2ea_thermal/DJI_0001_T.JPG", "DJI", 116.6, -90.0, 750.0, None),
        ("brighton_dji_p3/DJI_0024.JPG", "DJI", 220.0, -89.9, 2285.7, None),
    ],
)
def test_real_pictures_give_their_pose(shared, name, source, heading, pitch, focal_px, taken_at):
    frame = load(shared / "geotagged" / name)
    pose = frame.shot.pose
    assert pose is not None
    assert frame.metadata.reading.dialect == source
    assert pose.heading_deg == pytest.approx(heading, abs=0.1)
    assert pose.pitch_deg == pytest.approx(pitch, abs=0.1)
    assert frame.shot.camera.focal_px == pytest.approx(focal_px, rel=0.01)
    if taken_at:
        assert frame.shot.taken_at == taken_at


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "reason"),
    [("parrot-1.jpg", "fisheye"), ("autel_xl715_test.jpg", "which way it looked")],
)
def test_real_pictures_that_cannot_be_placed_say_why_and_keep_their_place(shared, name, reason):
    frame = load(shared / "geotagged" / "openathena" / name)
    assert frame.shot.pose is None
    assert reason in str(frame.unplaced)
    assert frame.metadata.reading.place is not None


@pytest.mark.shared_data
def test_a_camera_nobody_knows_has_no_focal_length(shared):
    frame = load(shared / "thermal" / "rjpeg" / "FLIR_E40.jpg")
    assert math.isnan(frame.shot.camera.focal_px)
    assert frame.shot.camera.sensor is Sensor.THERMAL


def dewarped(flag: str) -> dict[str, str]:
    return {
        "drone-dji:DewarpFlag": flag,
        "drone-dji:DewarpData": "2018-03-13;3660.0,3650.0,-8.0,46.0,-0.27,0.115,-0.0001,-0.0003,-0.036",
    }


def test_djis_calibration_gives_focal_length_centre_and_distortion():
    """The centre is counted from the picture's middle."""
    camera = identify(dewarped("0"), EXIF, width_px=5472, height_px=3648, thermal=False)
    assert camera.focal_px == 3655.0
    assert (camera.centre_x_px, camera.centre_y_px) == (2728.0, 1870.0)
    assert camera.distortion == (-0.27, 0.115, -0.0001, -0.0003, -0.036)


def test_a_picture_that_was_dewarped_has_no_distortion_left():
    camera = identify(dewarped("1"), EXIF, width_px=5472, height_px=3648, thermal=False)
    assert camera.distortion == (0.0, 0.0, 0.0, 0.0, 0.0)


def test_a_calibration_of_another_picture_size_is_not_used():
    """Skydio writes its colour camera's calibration beside thermal pictures too."""
    values = {
        "drone-skydio:CalibratedFocalLength/X": "2380",
        "drone-skydio:CalibratedFocalLength/Y": "2376",
        "drone-skydio:CalibratedOpticalCenter/X": "2029",
        "drone-skydio:CalibratedOpticalCenter/Y": "1520",
        "drone-skydio:DewarpData": "0.12,-0.23,0.098",
    }
    colour = identify(values, EXIF, width_px=4056, height_px=3040, thermal=False)
    assert colour.focal_px == 2378.0
    assert colour.distortion == (0.12, -0.23, 0.0, 0.0, 0.098)
    assert math.isnan(identify(values, EXIF, width_px=640, height_px=512, thermal=True).focal_px)


@pytest.mark.parametrize("known", KNOWN, ids=lambda k: k.model)
def test_every_known_camera_sees_like_a_camera(known):
    """Between 10° and 100° wide, with a source for its facts, no model twice in one width."""
    assert known.source
    assert sum((k.model, k.width_px) == (known.model, known.width_px) for k in KNOWN) == 1
    if known.focal_mm:
        wide = math.degrees(2 * math.atan(known.sensor_width_mm / 2 / known.focal_mm))
        assert 10 < wide < 100


def test_a_gimbal_is_composed_with_the_aircraft_that_carries_it():
    """By hand: (1/2, 0, 0.866) banked by 10° is (0.5, -0.150, 0.853), pitched (0.424, -0.150, 0.893)."""
    values = {
        "exif:CameraYaw": "0",
        "exif:CameraPitch": "-60",
        "exif:CameraRoll": "0",
        "exif:PlatformYaw": "90",
        "exif:PlatformPitch": "-5",
        "exif:PlatformRoll": "10",
    }
    reading = read(values, EXIF)
    assert reading.pitch_deg == pytest.approx(-63.28, abs=0.02)
    assert reading.heading_deg == pytest.approx(90 - 19.54, abs=0.02)


def test_dji_tells_its_speed_north_and_east():
    values = {
        "drone-dji:GimbalPitchDegree": "-90",
        "drone-dji:GimbalYawDegree": "0",
        "drone-dji:FlightXSpeed": "+3.0",
        "drone-dji:FlightYSpeed": "-4.0",
    }
    assert read(values, EXIF).velocity_m_s == (-4.0, 3.0, 0.0)
