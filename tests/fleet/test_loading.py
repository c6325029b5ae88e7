"""Fence, rally points and mission put on board one after the other."""

from dataclasses import replace

from fleet.autopilots.ardupilot import ArduCopter
from fleet.loading import Loading, fence_items, loading_of, rally_items, same_place
from fleet.messages import ItemCount, ListKind
from fleet.patience import Patience
from fleet.transfer import UploadResult
from fleet.zones import Zone
from missions.geo import moved
from tests.fleet.builders import DOCK, MEADOW, WEST, order

AREA = Zone(True, tuple(moved(DOCK.place, bearing, 800.0) for bearing in (0.0, 120.0, 240.0)))
POND = Zone(False, (moved(DOCK.place, 90.0, 500.0),), 50.0)


class Step:
    """A list that is proven, or not, as soon as it is looked at."""

    def __init__(self, result: UploadResult) -> None:
        self.result = None
        self._result = result

    def start(self, now):
        return [f"start at {now}"]

    def receive(self, message, now):
        self.result = self._result
        return []

    def tick(self, now):
        return []


def test_each_list_begins_when_the_one_before_is_proven():
    """What is told at the end is whether the mission, the last, had to be sent."""
    loading = Loading(
        [("fence", Step(UploadResult(True, True))), ("mission", Step(UploadResult(True, False)))]
    )
    assert loading.start(0.0) == ["start at 0.0"]
    assert loading.receive(ItemCount(0), 1.0) == ["start at 1.0"]
    assert loading.result is None
    loading.receive(ItemCount(0), 2.0)
    assert loading.result == UploadResult(True, False)


def test_a_list_that_fails_ends_it_by_name():
    """No mission goes on board behind a fence that is not there."""
    loading = Loading(
        [("fence", Step(UploadResult(False, True, "no space"))), ("mission", Step(UploadResult(True, True)))]
    )
    loading.start(0.0)
    assert loading.receive(ItemCount(0), 1.0) == []
    assert loading.result == UploadResult(False, True, "fence: no space")
    assert loading.receive(ItemCount(0), 2.0) == []


def test_a_fence_is_an_item_a_corner():
    """Each says how many its polygon has; a circle says its radius."""
    items = fence_items((AREA, POND))
    assert [i.command for i in items] == [5001, 5001, 5001, 5004]
    assert [i.params[0] for i in items] == [3.0, 3.0, 3.0, 50.0]
    assert [i.seq for i in items] == [0, 1, 2, 3]
    assert {i.kind for i in items} == {ListKind.FENCE}


def test_only_rally_points_are_put_on_board_as_such():
    """Another dock has a door: nobody returns there by himself."""
    (point,) = rally_items(order(landings=(WEST, MEADOW)))
    assert (point.command, point.kind, point.altitude_m) == (5100, ListKind.RALLY, 50.0)


def test_a_fence_read_back_must_be_at_its_place():
    """And have its count; whatever else the autopilot makes of it."""
    sent = fence_items((AREA,))[0]
    assert same_place(sent, replace(sent, frame=3, altitude_m=7.0))
    assert not same_place(sent, replace(sent, lat_deg=sent.lat_deg + 1e-6))
    assert not same_place(sent, replace(sent, params=(4.0, 0.0, 0.0, 0.0)))


def test_an_order_without_fence_or_rally_brings_its_mission_only():
    """To a vehicle that keeps no such lists; from one that does, those of an earlier sortie are taken off."""
    items = ArduCopter().mission(order().items, DOCK)
    plain = loading_of(order(), items, ArduCopter(), Patience(), files=False)
    assert len(plain._machines) == 1
    stale = loading_of(
        order(), items, ArduCopter(), Patience(), files=False, keeps=(ListKind.FENCE, ListKind.RALLY)
    )
    asked = [m for m in stale.start(0.0) if getattr(m, "kind", None) is ListKind.FENCE]
    assert [name for name, _ in stale._machines] == ["fence", "rally points", "mission"]
    assert asked  # it looks whether there is one to be taken off
    whole = loading_of(order(fence=(AREA,), landings=(MEADOW,)), items, ArduCopter(), Patience(), files=False)
    assert [name for name, _ in whole._machines] == ["fence", "rally points", "mission"]
