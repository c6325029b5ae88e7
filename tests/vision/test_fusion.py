"""Several looks made into one place: what averages out, what does not, and what is left out."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from missions.geo import LatLon, distance_m, moved
from vision.fusion import OUTLIER, fuse, look_of, noise_m2, of_ellipse
from vision.model import Ellipse, Look, Sight
from vision.tangent import Scale

HERE = LatLon(30.28, 119.42)
NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
STILL = (0.0, 0.0)
SIGMA_95 = math.sqrt(5.991)


def sight(
    *,
    drifting_m: float = 0.0,
    white_m: float = 0.0,
    lean: tuple[float, float] = STILL,
    share: float = 0.5,
) -> Sight:
    """Return a sight with a pose error and an error of its own, alike in every direction."""
    pose = ((drifting_m, 0.0), (0.0, drifting_m))
    own = ((white_m, 0.0), (0.0, white_m))
    return Sight(pose, own, lean, share, 60.0)


def look(
    i: int, seen: Sight, *, at_s: float = 0.0, track: str = "D1", east_m: float = 0.0, north_m: float = 0.0
) -> Look:
    place = Scale.at(HERE).to_place(east_m, north_m)
    return Look(f"o{i}", place, NOW + timedelta(seconds=at_s), seen, track)


def test_errors_of_each_look_alone_average_out():
    """Eight looks of 4 m leave 4 / sqrt(8) = 1.41 m."""
    fused = fuse([look(i, sight(white_m=4.0), at_s=i) for i in range(8)])
    assert fused.ellipse.major_m == pytest.approx(4 / math.sqrt(8) * SIGMA_95, rel=1e-3)


def test_what_drifts_does_not_average_out_in_one_moment():
    """Eight looks at once of one drone know no more of its drift than one does."""
    fused = fuse([look(i, sight(drifting_m=4.0, share=1.0)) for i in range(8)])
    assert fused.ellipse.major_m == pytest.approx(4 * SIGMA_95, rel=1e-2)


def test_what_drifts_averages_out_over_minutes_and_over_drones():
    """Ten minutes forget a drift of 60 s, and two drones do not share it."""
    apart = fuse([look(i, sight(drifting_m=4.0, share=1.0), at_s=600.0 * i) for i in range(4)])
    assert apart.ellipse.major_m == pytest.approx(2 * SIGMA_95, rel=1e-2)
    two = fuse([look(i, sight(drifting_m=4.0, share=1.0), track=f"D{i}") for i in range(4)])
    assert two.ellipse.major_m == pytest.approx(2 * SIGMA_95, rel=1e-2)


def test_bearings_from_two_sides_intersect_at_the_true_height():
    """The ground is 5 m higher than the model says: looks from west and east miss by 5 m, opposite ways.

    Both lean by 5 m per deviation of the ground: the middle is the truth, and the ground's error is found.
    """
    west = look(1, sight(white_m=0.5, lean=(5.0, 0.0)), east_m=5.0)
    east = look(2, sight(white_m=0.5, lean=(-5.0, 0.0)), track="D2", east_m=-5.0)
    fused = fuse([west, east])
    assert distance_m(fused.place, HERE) < 0.05
    assert fuse([west]).ellipse.major_m > 5 * fused.ellipse.major_m


def test_looks_from_one_side_do_not_find_the_ground():
    """What leans alike stays as wrong as it is, however many look."""
    same = [look(i, sight(white_m=0.5, lean=(5.0, 0.0)), track=f"D{i}") for i in range(8)]
    assert fuse(same).ellipse.major_m == pytest.approx(5.0 * SIGMA_95, rel=0.02)


def test_one_bad_pose_is_left_out_and_named():
    looks = [look(i, sight(white_m=2.0), at_s=i, east_m=0.5 * (-1) ** i) for i in range(7)]
    fused = fuse([*looks, look(9, sight(white_m=2.0), at_s=9, east_m=40.0)])
    assert fused.left_out == ("o9",)
    assert distance_m(fused.place, HERE) < 0.5
    assert fused.widened == 1.0


def test_two_looks_that_contradict_each_other_widen_the_ellipse():
    """Nobody can tell which of two is wrong: both stay, and the ellipse reaches towards them."""
    fused = fuse([look(1, sight(white_m=2.0)), look(2, sight(white_m=2.0), east_m=40.0)])
    assert fused.left_out == ()
    assert fused.widened > 1.5
    assert fused.ellipse.major_m > fuse([look(1, sight(white_m=2.0))]).ellipse.major_m


def test_good_looks_are_left_out_once_in_a_thousand_at_most():
    """The gate counts looks drawn from the errors that are stated."""
    rng = np.random.default_rng(3)
    out = 0
    for _ in range(300):
        places = rng.normal(size=(8, 2)) * 3.0
        looks = [look(i, sight(white_m=3.0), east_m=e, north_m=n) for i, (e, n) in enumerate(places)]
        out += len(fuse(looks).left_out)
    assert out <= 3
    assert OUTLIER > 13.8


def test_the_fused_ellipse_holds_the_truth_as_often_as_it_says():
    """Drift, own errors and the ground drawn anew 500 times: 92 to 98 in a hundred truths inside."""
    rng = np.random.default_rng(7)
    angles = np.radians([0, 40, 90, 200, 260, 300])
    seconds = np.array([0, 5, 10, 90, 95, 100.0])
    sights = [sight(drifting_m=2.0, white_m=1.0, lean=(2 * math.sin(a), 2 * math.cos(a))) for a in angles]
    noise, ground = noise_m2(sights, ["D1"] * 6, seconds)
    root = np.linalg.cholesky(noise)
    inside = 0
    for _ in range(500):
        off = root @ rng.normal(size=12) + ground * rng.normal()
        fused = fuse(
            [
                look(i, s, at_s=t, east_m=off[2 * i], north_m=off[2 * i + 1])
                for i, (s, t) in enumerate(zip(sights, seconds, strict=True))
            ]
        )
        east, north = Scale.at(HERE).to_local(fused.place)
        bearing = math.radians(fused.ellipse.bearing_deg)
        along = east * math.sin(bearing) + north * math.cos(bearing)
        across = east * math.cos(bearing) - north * math.sin(bearing)
        inside += (along / fused.ellipse.major_m) ** 2 + (across / fused.ellipse.minor_m) ** 2 <= 1
    assert 0.92 <= inside / 500 <= 0.98


def test_a_place_of_which_only_the_ellipse_is_known_keeps_it():
    one = Look("o", HERE, NOW, of_ellipse(Ellipse(30.0, 10.0, 40.0)), "report")
    fused = fuse([one])
    assert (fused.ellipse.major_m, fused.ellipse.minor_m) == pytest.approx((30.0, 10.0), rel=1e-3)
    assert fused.ellipse.bearing_deg == pytest.approx(40.0, abs=0.1)


def test_what_was_seen_long_ago_counts_less_where_the_object_moves():
    old, new = look(1, sight(white_m=2.0)), look(2, sight(white_m=2.0), at_s=3600.0, track="D2", east_m=20.0)
    still = fuse([old, new])
    moving = fuse([old, new], wander_m_s=0.01)
    assert Scale.at(HERE).to_local(moving.place)[0] > Scale.at(HERE).to_local(still.place)[0] + 5.0


def test_an_observation_is_a_look_of_its_drone(seen_fire):
    made = look_of(seen_fire)
    assert (made.id, made.track, made.shot) == (seen_fire.id, seen_fire.drone, seen_fire.shot)
    assert distance_m(made.place, moved(HERE, 0.0, 0.0)) < 0.01
