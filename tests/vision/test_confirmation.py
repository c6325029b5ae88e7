"""Seen again at the same place on the ground, or not: what a moving camera's frames add up to."""

from dataclasses import replace
from datetime import timedelta

import pytest

from missions.geo import moved
from missions.model import Hazard
from vision import confirmation
from vision.confirmation import Look, Seen, Verdict

FIRE = frozenset({Hazard.FIRE})


@pytest.fixture
def look(seen_fire):
    """Return a function that makes the i-th look, a second and 12 m on, with what it saw."""

    def made(i: int, *places, shows=True, pixels=None, searched=FIRE, confidence=0.9) -> Look:
        at = seen_fire.seen_at + timedelta(seconds=i)
        seen = tuple(
            Seen(
                replace(seen_fire, id=f"o{i}{n}", place=p, seen_at=at, confidence=confidence),
                pixels[n] if pixels else None,
            )
            for n, p in enumerate(places)
        )
        camera = moved(seen_fire.place, 0.0, 12.0 * i)
        return Look(at, seen, searched, lambda _: shows, camera)

    return made


def test_a_fire_seen_twice_at_its_place_is_confirmed_by_the_second_look(look, seen_fire):
    (one,) = confirmation.over([look(0, seen_fire.place)])
    assert one.verdict is Verdict.WAITING
    off = moved(seen_fire.place, 40.0, 3.0)
    (fire,) = confirmation.over([look(0, seen_fire.place), look(1, off)])
    assert (fire.verdict, fire.confirmed_after, fire.hits) == (Verdict.CONFIRMED, 2, 2)


def test_a_flash_that_two_more_looks_do_not_see_is_denied(look, seen_fire):
    (flash,) = confirmation.over([look(0, seen_fire.place), look(1), look(2), look(3)])
    assert (flash.verdict, flash.looks, flash.misses) == (Verdict.DENIED, 4, 3)


def test_what_no_look_showed_again_waits_and_is_not_denied(look, seen_fire):
    (left,) = confirmation.over([look(0, seen_fire.place), *(look(i, shows=False) for i in range(1, 9))])
    assert (left.verdict, left.looks) == (Verdict.WAITING, 1)


def test_a_look_that_was_not_searched_for_the_hazard_is_no_miss(look, seen_fire):
    blind = [look(i, searched=frozenset({Hazard.FLOOD})) for i in (1, 2, 3)]
    (left,) = confirmation.over([look(0, seen_fire.place), *blind])
    assert left.looks == 1


def test_a_bad_cell_rides_with_the_camera_and_is_never_confirmed(look, seen_fire):
    """It stays at its pixel, so its place moves on by less than the gate, and pixels tell it."""
    looks = [look(i, moved(seen_fire.place, 0.0, 5.0 * i), pixels=[(300.0, 200.0)]) for i in range(6)]
    assert all(c.verdict is not Verdict.CONFIRMED for c in confirmation.over(looks))


def test_one_miss_does_not_undo_a_confirmed_fire_and_many_do(look, seen_fire):
    """Leaves and smoke hide a fire for a frame; hysteresis holds the verdict."""
    seen = [look(i, seen_fire.place) for i in range(3)]
    (held,) = confirmation.over([*seen, look(3)])
    assert held.verdict is Verdict.CONFIRMED
    (gone,) = confirmation.over([*seen, *(look(i) for i in range(3, 9))])
    assert gone.verdict is Verdict.DENIED


def test_a_fire_that_leaves_hide_every_third_look_is_confirmed(look, seen_fire):
    looks = [look(i, *([] if i % 3 == 1 else [seen_fire.place])) for i in range(6)]
    (fire,) = confirmation.over(looks)
    assert fire.verdict is Verdict.CONFIRMED
    assert fire.confirmed_after <= 4


def test_two_fires_forty_metres_apart_are_two_candidates(look, seen_fire):
    other = moved(seen_fire.place, 90.0, 40.0)
    found = confirmation.over([look(i, seen_fire.place, other) for i in range(2)])
    assert [c.verdict for c in found] == [Verdict.CONFIRMED] * 2


def test_a_faint_thing_needs_more_looks_than_a_sure_one(look, seen_fire):
    faint = confirmation.over([look(i, seen_fire.place, confidence=0.5) for i in range(2)])
    assert confirmation.weight(0.5) < confirmation.weight(0.95)
    assert faint[0].log_odds < confirmation.over([look(i, seen_fire.place) for i in range(2)])[0].log_odds


def test_what_was_seen_long_ago_keeps_its_verdict(look, seen_fire):
    late = replace(look(0), seen_at=seen_fire.seen_at + timedelta(hours=1))
    (flash,) = confirmation.over([look(0, seen_fire.place), look(1), look(2), look(3), late])
    assert (flash.verdict, flash.looks) == (Verdict.DENIED, 4)
