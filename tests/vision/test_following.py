"""Following on the ground: one mover, one track; speed and heading."""

import numpy as np
import pytest

from vision.following import Following, Sighting, Track, follow


def driven(*ways, frames: int = 40, step_s: float = 0.5, noise_m: float = 0.3, missed=(), seed: int = 1):
    """Return the tracks after frames of things that move straight: (kind, east, north, rates)."""
    rng, state, given = np.random.default_rng(seed), Following(), []
    for i in range(frames):
        t, shift = i * step_s, rng.normal(0, 1.0, 2)
        seen = [
            Sighting(
                kind,
                e + ve * t + shift[0] + rng.normal(0, noise_m),
                n + vn * t + shift[1] + rng.normal(0, noise_m),
            )
            for kind, e, n, ve, vn in ways
        ]
        if i not in missed:
            state = follow(state, seen, t)
            given.append(state.given)
    return state, given


def test_a_mover_is_one_track_with_its_speed_and_heading():
    state, given = driven(("truck", 0.0, 0.0, 6.0, 8.0))
    (track,) = state.told
    assert {g for (g,) in given} == {track.id}
    assert track.speed_m_s == pytest.approx(10.0, rel=0.1)
    assert track.heading_deg == pytest.approx(36.9, abs=6)


def test_ways_that_cross_do_not_swap_their_tracks():
    _, given = driven(("truck", -60.0, 2.0, 6.0, 0.0), ("truck", 60.0, -2.0, -6.0, 0.0))
    assert {g[0] for g in given} == {1}
    assert {g[1] for g in given} == {2}


def test_a_person_beside_a_truck_is_another_track():
    state, _ = driven(("truck", 0.0, 0.0, 1.0, 0.0), ("person", 0.0, 1.0, 1.0, 0.0))
    assert sorted(t.kind for t in state.told) == ["person", "truck"]


def test_a_short_gap_is_bridged_and_a_long_one_ends_the_track():
    short, _ = driven(("truck", 0.0, 0.0, 8.0, 0.0), missed=range(20, 28))
    long, _ = driven(("truck", 0.0, 0.0, 8.0, 0.0), missed=range(15, 35))
    assert [t.id for t in short.tracks] == [1]
    assert [t.id for t in long.tracks] == [2]


def test_what_stands_has_no_heading_and_what_was_seen_once_is_not_told():
    state, _ = driven(("vehicle", 5.0, 5.0, 0.0, 0.0), frames=60, noise_m=0.1)
    assert state.told[0].speed_m_s < 1.0
    assert follow(Following(), [Sighting("person", 0.0, 0.0)], 0.0).told == ()
    still = Track(1, "person", np.zeros(4), np.eye(4), 0.0, 0.0)
    assert still.heading_deg is None
