"""Vehicles in colour pictures, by the model in the repository; what their place makes of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from missions.geo import Area, moved
from missions.layers import NamedArea, Permit
from missions.model import (
    LEAST_CONFIDENCE,
    Camera,
    CameraPose,
    Hazard,
    PowerLine,
    ReferenceLayers,
    Sensor,
)
from vision import frame as frames
from vision import vehicle_pictures
from vision.detectors import Abstained, runtime
from vision.detectors.vehicles import COARSEST_M, SHIPPED, Vehicles, candidates
from vision.detectors.warm_bodies import Intrusion, Machinery
from vision.frame import Frame
from vision.near_vehicles import MACHINERY, beside_vehicles
from vision.scene import Scene
from vision.vehicle_pictures import SCORED, Answered, VehiclePicture

STREET = Path(__file__).parent / "data" / "street.jpg"
"""Seventeen cars, a pixel to 12 cm; from a street that the model did not learn from."""

CARS, PIXEL_M = 17, 0.12
SEEN_AT = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
BROWN = (92, 74, 58)


def taken(pixels: np.ndarray, pose: CameraPose, *, pixel_m: float | None = PIXEL_M) -> Frame:
    """Return pixels as a colour camera's frame from straight above, at a height that gives the scale."""
    height, width = pixels.shape[:2]
    camera = Camera.from_optics(
        "GP-1 C", Sensor.RGB, width_px=width, height_px=height, focal_mm=10.0, sensor_width_mm=10.0
    )
    frame = frames.load(STREET)
    high_m = (pixel_m or PIXEL_M) * width
    shot = replace(frame.shot, camera=camera, pose=replace(pose, altitude_m=100.0 + high_m), taken_at=SEEN_AT)
    return replace(frame, shot=shot, pixels=pixels, pixel_m2=pixel_m and pixel_m**2)


@pytest.fixture(scope="module")
def street() -> np.ndarray:
    pixels = frames.load(STREET).pixels
    assert pixels is not None
    return pixels


def wood_around(pose: CameraPose) -> NamedArea:
    ring = tuple(moved(pose.place, bearing, 400.0) for bearing in (45.0, 135.0, 225.0, 315.0))
    return NamedArea("c11", "compartment", {"en-US": "compartment 11"}, Area(ring))


def forest(pose: CameraPose, ground, *permits: Permit) -> Scene:
    references = ReferenceLayers(compartments=(wood_around(pose),), permits=permits)
    return Scene(ground=ground, references=references)


def test_cars_in_a_street_are_found_and_told_at_their_size(street, pose):
    found = Vehicles().seen(taken(street, pose))
    assert isinstance(found, list)
    assert CARS / 2 < len(found) <= CARS
    lengths = [d.facts["length_m"] for d in found]
    assert 3.5 <= np.median(lengths) <= 5.5
    assert {(d.kind, d.sensor) for d in found} == {("vehicle", Sensor.RGB)}


def test_a_picture_of_another_resolution_shows_the_same_cars(street, pose):
    fine = np.ascontiguousarray(street.repeat(3, axis=0).repeat(3, axis=1))
    found, coarse = (
        Vehicles().seen(taken(pixels, pose, pixel_m=pixel_m))
        for pixels, pixel_m in ((fine, PIXEL_M / 3), (street, PIXEL_M))
    )
    assert abs(len(found) - len(coarse)) <= 2


def test_what_is_on_the_ground_no_vehicles_size_is_none(street, pose):
    model = runtime.load(SHIPPED)
    looks_like_cars, _ = candidates(model, street, PIXEL_M, model.card.box["vehicle"])
    toys = Vehicles().seen(taken(street, pose, pixel_m=PIXEL_M / 4))
    assert len(looks_like_cars) > 10
    assert isinstance(toys, list)
    assert all(d.facts["length_m"] >= 2.0 for d in toys)
    assert len(toys) < 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda frame: replace(frame, pixel_m2=None), "without a scale"),
        (lambda frame: replace(frame, pixel_m2=(COARSEST_M + 0.01) ** 2), "too coarse"),
        (lambda frame: replace(frame, pixels=frame.pixels // 16), "too dark"),
        (lambda frame: replace(frame, pixels=np.full_like(frame.pixels, 128)), "looks alike"),
    ],
)
def test_what_a_picture_cannot_show_is_said(street, pose, change, reason):
    said = Vehicles().seen(change(taken(street, pose)))
    assert isinstance(said, Abstained)
    assert reason in said.reason


def test_vehicles_in_the_wood_are_a_suspicion_unless_a_permit_covers_place_and_date(street, pose, ground):
    frame = taken(street, pose)
    found = Machinery().detect(frame, forest(pose, ground))
    assert isinstance(found, tuple)
    assert len(found) > CARS / 2
    assert {(d.hazard, d.kind, d.facts["vehicle"], d.facts["compartment"]) for d in found} == {
        (Hazard.LOGGING, MACHINERY, "by its look", "c11")
    }
    assert all(d.confidence < LEAST_CONFIDENCE for d in found)
    for days, is_silent in ((1, True), (-1, False)):
        whole = wood_around(pose).area
        permit = Permit("p", {}, whole, SEEN_AT - timedelta(days=2), SEEN_AT + timedelta(days=days))
        assert (Machinery().detect(frame, forest(pose, ground, permit)) == ()) is is_silent


def test_vehicles_under_a_line_are_an_intrusion_and_those_beside_its_zone_are_none(street, pose, ground):
    frame = taken(street, pose)
    for off_m, is_told in ((0.0, True), (300.0, False)):
        middle = moved(pose.place, 0.0, off_m)
        towers = tuple((str(i), moved(middle, 90.0, -400.0 + 400.0 * i)) for i in range(3))
        line = PowerLine("L1", {"en-US": "line 1"}, 220.0, towers)
        scene = Scene(ground=ground, references=ReferenceLayers(lines=(line,)))
        found = Intrusion().detect(frame, scene)
        assert bool(found) is is_told
        assert {(d.hazard, d.facts["line"]) for d in found} <= {(Hazard.INTRUSION, "L1")}


def test_bare_ground_without_vehicles_tells_none_and_clears_no_place(pose, ground):
    noise = np.random.default_rng(3).normal(0, 12, (480, 640, 1))
    bare = np.clip(np.array(BROWN) + noise, 0, 255).astype(np.uint8)
    for detector in (Machinery(), Intrusion()):
        towers = tuple((str(i), moved(pose.place, 90.0, 100.0 * i)) for i in range(2))
        line = PowerLine("L1", {}, 220.0, towers)
        references = replace(forest(pose, ground).references, lines=(line,))
        said = detector.detect(taken(bare, pose), Scene(ground=ground, references=references))
        assert isinstance(said, Abstained)
        assert "clears no place" in said.reason


def test_felled_ground_says_how_near_a_vehicle_stood(seen_fire):
    felled = replace(seen_fire, id="f", hazard=Hazard.LOGGING, kind="felling")
    corners = tuple(moved(felled.place, bearing, 20.0) for bearing in (45.0, 135.0, 225.0, 315.0))
    felled = replace(felled, outline=Area(corners))
    car = replace(felled, id="v", kind=MACHINERY, place=moved(felled.place, 90.0, 60.0), outline=None)
    other = replace(seen_fire, id="s")
    beside = {o.id: o.facts for o in beside_vehicles((felled, car, other))}
    assert beside == {"f": {"vehicle_within_m": 50.0}, "v": car.facts, "s": other.facts}  # 60 less 14 m
    far = replace(car, place=moved(felled.place, 90.0, 400.0))
    assert beside_vehicles((felled, far)) == (felled, far)
    inside = replace(car, place=felled.place)
    assert beside_vehicles((felled, inside))[0].facts == {"vehicle_within_m": 10.0}


def answered(*judged: tuple[float, bool], vehicles: int) -> Answered:
    picture = VehiclePicture(STREET, "", SCORED, np.zeros((vehicles, 4), np.float32), None)
    return Answered(picture, judged)


def test_precision_and_rates_count_boxes_and_pictures():
    scored = [answered((0.9, True), (0.4, False), vehicles=2), answered((0.6, False), vehicles=0)]
    assert vehicle_pictures.precision(scored) == pytest.approx(0.5)
    assert vehicle_pictures.rates(scored, 0.5) == (0.5, 0.5, 0.5)
    assert vehicle_pictures.rates(scored, 0.3) == (0.5, 1.0, 1.0)


def test_the_threshold_lets_no_more_than_one_forest_in_fifty_have_a_find():
    forests = [answered((i / 100, False), vehicles=0) for i in range(50)]
    limit = vehicle_pictures.threshold([*forests, answered((0.99, True), vehicles=1)])
    assert vehicle_pictures.rates(forests, limit)[2] == pytest.approx(0.02)


def test_the_card_for_people_names_the_files_size_and_threshold():
    text = SHIPPED.with_name("vehicles.md").read_text("utf-8")
    assert f"{SHIPPED.stat().st_size:,} bytes" in text
    assert str(runtime.load(SHIPPED).card.box["vehicle"]).lstrip("0") in text


@pytest.mark.shared_data
def test_forests_that_were_never_learnt_show_hardly_a_vehicle(shared):
    model = runtime.load(SHIPPED)
    forests = vehicle_pictures.part(vehicle_pictures.without(shared, vehicle_pictures.FORESTS), SCORED)
    scored = vehicle_pictures.answers(model, forests, least=model.card.box["vehicle"])
    assert len(scored) > 50
    assert vehicle_pictures.rates(scored, model.card.box["vehicle"])[2] <= 0.02
