"""Bodies counted once each, and the interval that recall, false alarms and unseen ground allow."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from missions.geo import Area, LatLon
from missions.measure import Job, Raw
from missions.model import Camera, Demand, Hazard, Sensor, Shot
from vision import counting, report
from vision.bench import bodies as bench
from vision.counting import RATES, Covered, Rates, interval
from vision.inspection import FrameResult, Inspection
from vision.model import Ellipse, Observation
from vision.tangent import Scale

HERE = LatLon(30.28, 119.42)
AT = datetime(2026, 6, 1, 22, 0, tzinfo=UTC)
SCALE = Scale.at(HERE)
SURE = Rates(1000, 1000, 0, 1000, "made up")
ELLIPSE = Ellipse(6.0, 5.0, 0.0)
CAMERA = Camera("t", Sensor.THERMAL, 640, 512, 758.0, 320.0, 256.0)


@dataclass(frozen=True)
class Look:
    """A frame in the making: when, its common error, what it shows (metres east and north)."""

    after_s: float
    shift: tuple[float, float]
    shown: tuple[tuple[float, float], ...]


def sighting(east: float, north: float, name: str, after_s: float, hazard=Hazard.WILDLIFE) -> Observation:
    place = SCALE.to_place(east, north)
    return Observation(
        name, hazard, 0.8, place, ELLIPSE, AT + timedelta(seconds=after_s), name.split("#")[0], "x"
    )


def frames(*looks: Look) -> list[list[Observation]]:
    return [
        [
            sighting(x + look.shift[0], y + look.shift[1], f"s{number}#{i}", look.after_s)
            for i, (x, y) in enumerate(look.shown)
        ]
        for number, look in enumerate(looks)
    ]


def ring(side_m: float) -> tuple[LatLon, ...]:
    half = side_m / 2
    return tuple(
        SCALE.to_place(x, y) for x, y in ((-half, -half), (half, -half), (half, half), (-half, half))
    )


def result(seen: list[Observation], number: int, side_m: float = 100.0) -> FrameResult:
    shot = Shot(f"s{number}", CAMERA, AT + timedelta(seconds=number), None, f"s{number}.tif")
    return FrameResult(
        shot.file,
        shot=shot,
        observations=tuple(seen),
        footprint=ring(side_m),
        searched=frozenset({Hazard.WILDLIFE}),
    )


def test_a_herd_in_three_pictures_is_counted_once_each():
    herd = ((0.0, 0.0), (3.0, 1.0), (5.0, -2.0), (9.0, 4.0))
    looks = frames(Look(0, (0, 0), herd), Look(4, (4.0, -3.0), herd), Look(8, (-3.0, 2.0), herd))
    found = counting.distinct(looks, SCALE)
    assert len(found) == 4
    assert {len(body.looks) for body in found} == {3}


def test_two_in_one_picture_are_two_however_near():
    assert len(counting.distinct(frames(Look(0, (0, 0), ((0, 0), (1.0, 0)))), SCALE)) == 2


def test_bodies_seen_later_are_new_and_missed_ones_stay():
    looks = frames(Look(0, (0, 0), ((0, 0), (20, 0))), Look(4, (2, 2), ((20, 0), (40, 0))))
    found = counting.distinct(looks, SCALE)
    assert sorted(len(body.looks) for body in found) == [1, 1, 2]


def test_far_places_are_never_one_body():
    looks = frames(Look(0, (0, 0), ((0, 0),)), Look(4, (0, 0), ((30, 0),)))
    assert len(counting.distinct(looks, SCALE)) == 2


def test_with_a_perfect_eye_the_interval_is_the_count():
    covered = Covered(10_000.0, 10_000.0, (0.0, 1.0))
    assert interval(7, covered, SURE) == (7, 7, 7)


def test_half_the_ground_unseen_widens_the_interval_upwards():
    seen = Covered(10_000.0, 5_000.0, (0.0, 1.0))
    half = replace(seen, looks=(0.5, 0.5))
    low, middle, high = interval(7, half, SURE)
    assert low >= 7
    assert 12 <= middle <= 17
    assert high > interval(7, seen, SURE)[2] + 5


def test_false_alarms_lower_the_interval():
    covered = Covered(10_000.0, 10_000.0, (0.0, 1.0))
    noisy = Rates(1000, 1000, 2000, 1000, "made up")
    low, middle, _ = interval(4, covered, noisy)
    assert low == 0
    assert middle < 4


def test_the_interval_holds_its_promise():
    """Drawn as the method says, nine intervals in ten hold the truth, and not many more."""
    rng = np.random.default_rng(5)
    rates = Rates(80, 100, 30, 100, "made up")
    covered = Covered(40_000.0, 10_000.0, (0.2, 0.8))
    held, runs = 0, 200
    for _ in range(runs):
        there = int(rng.integers(0, 25))
        chance = rng.beta(rates.found + 0.5, rates.there - rates.found + 0.5) * covered.share
        false = rng.poisson(rng.gamma(rates.false + 0.5, 1 / rates.pictures) * 3.2)
        low, _, high = interval(int(rng.binomial(there, chance) + false), covered, rates)
        held += low <= there <= high
    assert 0.83 <= held / runs <= 0.98


def test_looks_that_are_not_one_find_more():
    once, often = Covered(1.0, 1.0, (0.0, 1.0)), Covered(1.0, 1.0, (0.0, 0.0, 0.0, 1.0))
    assert often.found_with(0.5, 1.0) == pytest.approx(once.found_with(0.5, 0.0)) == pytest.approx(0.5)
    assert often.found_with(0.5, 0.0) == pytest.approx(0.875)


def test_counts_are_told_by_the_area_that_asks_and_else_by_all_that_was_seen():
    seen = [result(f, i) for i, f in enumerate(frames(Look(0, (0, 0), ((10, 10), (-20, 5)))))]
    (whole,) = counting.counts(seen)
    assert whole.covered.share == 1.0
    assert whole.covered.area_m2 == pytest.approx(10_000, rel=0.02)
    assert len(whole.bodies) == 2
    corner = tuple(SCALE.to_place(x, y) for x, y in ((0, 0), (150, 0), (150, 50), (0, 50)))
    ask = Demand(
        "deer-1",
        "forestry",
        frozenset({Hazard.WILDLIFE}),
        Area(corner),
        frozenset({Sensor.THERMAL}),
        90.0,
        3600.0,
    )
    (part,) = counting.counts(seen, [ask])
    assert part.area == "deer-1"
    assert len(part.bodies) == 1
    assert part.covered.share == pytest.approx(1 / 3, abs=0.03)
    told = counting.to_json(part)
    assert told["count_90"][0] <= told["count"] <= told["count_90"][1]
    assert told["rates_from"] == RATES[Hazard.WILDLIFE].source
    assert "deer-1" in counting.line(part)


def test_the_report_tells_counts_in_both_languages():
    seen = [result(f, i) for i, f in enumerate(frames(Look(0, (0, 0), ((10, 10), (-20, 5)))))]
    counts = counting.counts(seen)
    for language, words in (("en-US", "Likely there"), ("zh-CN", "可能数量")):
        page = report.render(Inspection((), ()), {}, language=language, counts=counts)
        assert words in page
        assert f"({counts[0].low}–{counts[0].high})" in page
    assert "Likely there" not in report.render(Inspection((), ()), {})


def test_an_area_hardly_seen_gets_no_number_but_its_probability():
    wide = Area(ring(1000.0))
    ask = Demand("far", "f", frozenset({Hazard.WILDLIFE}), wide, frozenset({Sensor.THERMAL}), 90.0, 3600.0)
    (count,) = counting.counts([result([], 0)], [ask])
    assert count.low is None
    assert counting.to_json(count)["count_90"] is None
    assert 0 < count.probability[1] < 0.02


def test_what_was_not_searched_is_not_counted():
    assert counting.counts([replace(result([], 0), searched=frozenset())]) == ()


def test_the_bench_flies_over_animals_and_judges_them():
    rows = {row.name: row for row in bench.rows(Job(Raw(None), print, quick=True))}
    assert rows["bodies.recall"].value > 0.4
    assert rows["bodies.false_alarms"].value < 2
    assert 0 <= rows["bodies.count_inside"].value <= 1
    assert rows["bodies.people.false_alarms"].value >= 0
