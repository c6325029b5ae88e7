"""People and vehicles in thermal pictures, by the model in the repository; who stands under a line."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from missions.geo import Area, moved
from missions.layers import NamedArea, Permit
from missions.model import LEAST_CONFIDENCE, Camera, CameraPose, Hazard, PowerLine, ReferenceLayers, Sensor
from tests.vision.conftest import meadow, write_thermal
from vision import labelled, warm_pictures
from vision.detectors import Abstained, runtime, warm_bodies
from vision.detectors.warm_bodies import (
    KINDS,
    SHIPPED,
    Intrusion,
    Machinery,
    WarmBodies,
    grey,
    is_island,
    line_over,
    zone_m,
)
from vision.frame import load
from vision.georeference import locate
from vision.inspection import examine
from vision.scene import Scene

HIT_UAV = Path(__file__).parents[3] / "shared" / "data" / "thermal" / "hit_uav"
PEOPLED = 5
SEEN_AT = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def held_out():
    if not HIT_UAV.is_dir():
        pytest.skip("../shared/data/thermal/hit_uav is not here")
    _, some = warm_pictures.split(warm_pictures.read(HIT_UAV))
    return some


@pytest.fixture(scope="module")
def peopled(held_out):
    return [p for p in held_out if len(p.of(0)) >= PEOPLED]


def line(by, *, off_m: float = 0.0, voltage_kv: float = 220.0) -> PowerLine:
    """Return a line that runs east, so far north of what has a place."""
    middle = moved(by.place, 0.0, off_m)
    towers = tuple((str(i), moved(middle, 90.0, -400.0 + 400.0 * i)) for i in range(3))
    return PowerLine("L1", {"en-US": "line 1"}, voltage_kv, towers)


def seen_from_above(picture, pose: CameraPose, camera: Camera):
    frame = load(picture.path, thermal=True)
    return replace(frame, shot=replace(frame.shot, pose=pose, camera=camera))


@pytest.mark.shared_data
def test_people_are_found_in_flights_that_were_never_learnt(peopled):
    scored = warm_pictures.answers(runtime.load(SHIPPED), peopled)
    assert warm_pictures.precision(scored, KINDS.index("person"), 0.3) > 0.6
    recall, false, _ = warm_pictures.rates(scored, 0, runtime.load(SHIPPED).card.box["person"])
    assert recall > 0.6
    assert false < 4


@pytest.mark.shared_data
def test_people_under_a_line_are_an_intrusion_and_those_away_from_it_are_none(
    peopled, pose, ground, tmp_path
):
    camera = load(write_thermal(tmp_path / "a_T.tif", meadow(), pose)).shot.camera
    frame = seen_from_above(peopled[0], replace(pose, pitch_deg=-90.0), camera)
    one = WarmBodies().bodies(frame)[0].box
    at = locate(frame.shot.camera, frame.shot.pose, one.middle_px[0], one.bottom_px, ground=ground)
    under = Scene(ground=ground, references=ReferenceLayers(lines=(line(at),)))
    found = Intrusion().detect(frame, under)
    assert found
    assert {(d.hazard, d.facts["line"]) for d in found} == {(Hazard.INTRUSION, "L1")}
    assert {d.kind for d in found} <= set(KINDS)
    away = Scene(ground=ground, references=ReferenceLayers(lines=(line(at, off_m=500.0),)))
    assert Intrusion().detect(frame, away) == ()


def wood_around(at) -> NamedArea:
    ring = tuple(moved(at.place, bearing, 400.0) for bearing in (45.0, 135.0, 225.0, 315.0))
    return NamedArea("c11", "compartment", {"en-US": "compartment 11"}, Area(ring))


@pytest.fixture
def driven(held_out, pose, tmp_path):
    """A real picture in which the model sees a vehicle, as if taken over the test's ground."""
    camera = load(write_thermal(tmp_path / "a_T.tif", meadow(), pose)).shot.camera
    straight_down = replace(pose, pitch_deg=-90.0)
    frames = (seen_from_above(p, straight_down, camera) for p in held_out if len(p.of(1)))
    frame = next(f for f in frames if any(d.kind == "vehicle" for d in WarmBodies().bodies(f)))
    return replace(frame, shot=replace(frame.shot, taken_at=SEEN_AT), pixel_m2=None)


def scene_of(wood: NamedArea, ground, *permits: Permit) -> Scene:
    return Scene(ground=ground, references=ReferenceLayers(compartments=(wood,), permits=permits))


@pytest.mark.shared_data
def test_a_vehicle_in_the_wood_is_a_suspicion_unless_a_permit_covers_place_and_date(driven, pose, ground):
    wood = wood_around(pose)
    found = Machinery().detect(driven, scene_of(wood, ground))
    assert {(d.hazard, d.kind, d.facts["compartment"]) for d in found} == {
        (Hazard.LOGGING, "machinery", "c11")
    }
    assert all(d.confidence < LEAST_CONFIDENCE for d in found)
    for days, is_silent in ((1, True), (-1, False)):
        permit = Permit("p", {}, wood.area, SEEN_AT - timedelta(days=2), SEEN_AT + timedelta(days=days))
        assert (Machinery().detect(driven, scene_of(wood, ground, permit)) == ()) is is_silent


@pytest.mark.shared_data
@pytest.mark.parametrize(("range_k", "is_told"), [(60.0, True), (9.0, False)])
def test_where_temperatures_tell_a_vehicle_without_a_warm_engine_is_none(
    driven, pose, ground, range_k, is_told
):
    celsius = np.atleast_3d(driven.pixels)[..., 0].astype(np.float32) / 255 * range_k
    frame = replace(driven, pixels=None, celsius=celsius)
    told = Machinery().detect(frame, scene_of(wood_around(pose), ground))
    assert isinstance(told, tuple) is is_told


@pytest.mark.parametrize(("columns", "is_one"), [(np.s_[20:26], True), (np.s_[20:40], False)])
def test_a_warm_engine_ends_where_a_sunlit_field_goes_on(columns, is_one):
    warm, hottest = np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    warm[18:24, columns], hottest[20, 22] = True, True
    assert is_island(warm, hottest) is is_one


def test_what_machinery_cannot_tell_it_says_and_its_silence_clears_no_place(tmp_path, pose, ground):
    path = write_thermal(tmp_path / "a_T.tif", meadow(), pose)
    frame = load(path)
    assert "no forest compartments" in Machinery().detect(frame, Scene(ground=ground)).reason
    references = ReferenceLayers(compartments=(wood_around(pose),))
    unplaced = replace(frame, shot=replace(frame.shot, pose=None))
    assert (
        "without a place" in Machinery().detect(unplaced, Scene(ground=ground, references=references)).reason
    )
    seen = examine(
        path, terrain=ground, hazards=(Hazard.LOGGING,), scene=Scene(references=references), with_trials=True
    )
    assert Hazard.LOGGING not in seen.searched
    assert "clears no place" in (seen.note or "")


def test_a_meadow_has_nobody_in_it(tmp_path, pose):
    frame = load(write_thermal(tmp_path / "a_T.tif", meadow(), pose))
    assert WarmBodies().detect(frame, Scene()) == ()


def test_intrusion_says_what_it_lacks(tmp_path, pose, ground):
    frame = load(write_thermal(tmp_path / "a_T.tif", meadow(), pose))
    assert "no power line" in Intrusion().detect(frame, Scene(ground=ground)).reason
    unplaced = replace(frame, shot=replace(frame.shot, pose=None))
    told = Intrusion().detect(unplaced, Scene(ground=ground, references=ReferenceLayers(lines=(line(pose),))))
    assert isinstance(told, Abstained)
    assert "without a place" in told.reason


def test_it_reads_thermal_frames_and_no_others(tmp_path, pose):
    frame = load(write_thermal(tmp_path / "a_T.tif", meadow(), pose))
    assert WarmBodies().reads(frame)
    colour = replace(frame.shot.camera, sensor=Sensor.RGB)
    assert not WarmBodies().reads(replace(frame, shot=replace(frame.shot, camera=colour)))


def test_temperatures_are_laid_over_all_of_grey_and_hardly_any_range_is_not_stretched(tmp_path, pose):
    celsius = meadow()
    celsius[200:240, 300:340] = celsius.mean() + 30.0
    stretched = grey(load(write_thermal(tmp_path / "a_T.tif", celsius, pose)))
    assert stretched.shape == (*celsius.shape, 3)
    assert (stretched.min(), stretched.max()) == (0, 255)
    even = np.full_like(celsius, 15.0)
    even[::2] += 0.05
    assert grey(load(write_thermal(tmp_path / "b_T.tif", even, pose))).max() < 10


def test_a_lines_zone_is_as_wide_as_its_voltage_asks_and_the_nearest_line_counts(pose):
    assert [zone_m(kv) for kv in (10.0, 35.0, 110.0, 220.0, 500.0, 1000.0)] == [
        5.0,
        10.0,
        10.0,
        15.0,
        20.0,
        25.0,
    ]
    weak, strong = line(pose, off_m=12.0, voltage_kv=110.0), line(pose, off_m=-14.0)
    assert line_over(pose.place, (weak, strong)) is strong
    assert line_over(pose.place, (weak,)) is None
    assert line_over(pose.place, ()) is None


def test_held_out_flights_are_none_of_those_learnt():
    if not HIT_UAV.is_dir():
        pytest.skip("../shared/data/thermal/hit_uav is not here")
    learnt, aside = warm_pictures.split(warm_pictures.read(HIT_UAV))
    assert not {p.flight for p in learnt} & {p.flight for p in aside}
    table = labelled.listed(SHIPPED.parent / "TRAINING.csv")
    rows = {row[labelled.HASH]: row["use"] for row in table if row["model"] == "warm"}
    assert {rows[labelled.sha256_8(p.path)] for p in aside} == {"scored"}
    assert {rows[labelled.sha256_8(p.path)] for p in learnt} == {"learnt"}


def test_a_box_counts_once_and_what_nobody_named_is_left_out():
    truth = np.array([[0, 0, 10, 10], [50, 50, 60, 60]], np.float32)
    picture = warm_pictures.WarmPicture(Path("a"), "", False, 60, truth, np.array([0, -1]))
    said = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], np.float32)
    scores, kinds = np.array([0.9, 0.8, 0.7], np.float32), np.zeros(3, np.int64)
    scored = [warm_pictures.Answered(picture, said, scores, kinds)]
    assert [hit for _, hit in scored[0].hits(0, 0.3)] == [True, False]
    assert warm_pictures.precision(scored, 0, 0.3) == 1.0
    assert warm_pictures.precision(scored, 1, 0.3) is None
    assert warm_pictures.rates(scored, 0, 0.5) == (1.0, 1.0, 1.0)


def test_the_card_for_people_names_the_files_size():
    text = SHIPPED.with_name("warm.md").read_text("utf-8")
    assert f"{SHIPPED.stat().st_size:,} bytes" in text
    card = runtime.load(SHIPPED).card
    assert card.classes == warm_bodies.KINDS
    assert all(str(limit).lstrip("0") in text for limit in card.box.values())
