"""A bad link does to packets what its faults say, the same for the same seed."""

import pytest

from sim.faults import Fault
from sim.impairment import DOWN, UP, Impairment, Quality, quality_of

VALUES = {"direction": "both", "loss": 0.0, "delay_s": 0.0, "jitter_s": 0.0} | {
    "duplicate": 0.0,
    "reorder": 0.0,
    "corrupt": 0.0,
}


def link(**values: float | str) -> Fault:
    return Fault("link", values=VALUES | values)


def through(seed: int, quality: Quality, packets: int = 2000) -> list[int]:
    way: Impairment[int] = Impairment(seed)
    way.quality = quality
    came = []
    for n in range(packets):
        way.put(n, n * 0.1)
        came += way.due(n * 0.1)
    return came + way.due(1e9)


def test_a_good_link_passes_everything_in_order() -> None:
    assert through(1, Quality()) == list(range(2000))


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_loss_takes_its_share(share: float) -> None:
    assert len(through(1, Quality(loss=share))) == pytest.approx(2000 * (1 - share), rel=0.03)


def test_duplication_repeats_its_share_and_loses_nothing() -> None:
    came = through(1, Quality(duplicate=0.1))
    assert len(came) == pytest.approx(2200, rel=0.02)
    assert set(came) == set(range(2000))


def test_reordering_lets_packets_overtake_and_loses_none() -> None:
    came = through(1, Quality(reorder=0.1))
    assert sorted(came) == list(range(2000))
    assert came != sorted(came)


def test_a_delayed_packet_comes_when_its_time_has_come() -> None:
    way: Impairment[str] = Impairment(1)
    way.quality = Quality(delay_s=0.5)
    way.put("a", 10.0)
    assert (way.due(10.4), way.next_s()) == ([], 10.5)
    way.quality = Quality()
    assert not way.is_clear  # what is under way comes before what follows
    assert way.due(10.5) == ["a"]
    assert way.is_clear


def test_the_same_seed_loses_the_same_packets() -> None:
    quality = Quality(loss=0.2, jitter_s=0.4, duplicate=0.1)
    assert through(5, quality) == through(5, quality)
    assert through(5, quality) != through(6, quality)


def test_a_spoiled_packet_differs_in_one_byte() -> None:
    way: Impairment[bytes] = Impairment(1)
    for _ in range(100):
        assert sum(a != b for a, b in zip(way.spoiled(b"packet"), b"packet", strict=True)) == 1


def test_faults_add_up_and_know_their_direction() -> None:
    faults = [link(loss=0.5, delay_s=0.1), link(loss=0.5, delay_s=0.2), link(direction="up", loss=1.0)]
    assert quality_of(faults, DOWN) == Quality(loss=0.75, delay_s=pytest.approx(0.3))
    assert quality_of(faults, UP).loss == 1.0
    assert quality_of([], UP).is_good
