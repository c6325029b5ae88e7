"""The upload machine against bad links and vehicles with habits."""

import random
from dataclasses import replace

import pytest

from fleet.clearing import Clear
from fleet.messages import Item, ItemCount, ItemWanted, MissionVerdict, Verdict
from fleet.readback import ReadBack
from fleet.transfer import Stage, Upload
from tests.fleet.lossy import Ardu, HastyPx4, LossyLink, Px4, run

SEEDS = range(25)


def items(count: int = 100) -> tuple[Item, ...]:
    return tuple(Item(i, 16, 6, (0.0, 0.0, 0.0, 0.0), 30 + i * 1e-4, 119.0, 50.0) for i in range(count))


def same(sent: Item, read: Item) -> bool:
    return replace(sent, frame=3) == replace(read, frame=3)


def ardu_upload(sent: tuple[Item, ...]) -> Upload:
    return Upload(sent, same=same, first=1, window=8)


@pytest.mark.parametrize("loss", [0.0, 0.05, 0.1, 0.2])
@pytest.mark.parametrize("kind", [Ardu, Px4])
def test_hundred_items_are_always_verified_whatever_is_lost(kind, loss):
    """At 20 % loss each way the median stays within what a person waits for."""
    sent, times = items(), []
    for seed in SEEDS:
        vehicle = kind()
        upload = ardu_upload(sent) if kind is Ardu else Upload(sent, same=same)
        times.append(run(upload, vehicle, LossyLink(random.Random(seed), loss)))
        assert upload.result.verified, upload.result
        assert [i.seq for i in vehicle.mission] == list(range(100))
    assert sorted(times)[len(times) // 2] < (32 if kind is Ardu else 75)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("kind", [Ardu, Px4])
def test_doubled_and_reordered_messages_do_no_harm(kind, seed):
    """Delays of up to half a second overtake each other."""
    sent = items(40)
    upload = ardu_upload(sent) if kind is Ardu else Upload(sent, same=same)
    vehicle = kind()
    run(upload, vehicle, LossyLink(random.Random(seed), 0.1, double=0.1, jitter_s=0.5))
    assert upload.result.verified
    assert len(vehicle.mission) == 40


@pytest.mark.parametrize("seed", range(10))
def test_an_acknowledged_but_incomplete_upload_is_noticed_and_repeated(seed):
    """An acknowledgement is not the proof: the read-back is."""
    sent = items(60)
    vehicle = HastyPx4(rng=random.Random(seed))
    upload = Upload(sent, same=same)
    run(upload, vehicle, LossyLink(random.Random(seed), 0.05))
    assert upload.result.verified
    assert vehicle.mission == list(sent)


def test_same_plan_on_board_is_not_uploaded_again():
    """Verified by reading alone: no count, no item goes out."""
    sent = items(30)
    vehicle = Ardu(mission=[replace(i, frame=3) for i in sent])
    upload = ardu_upload(sent)
    run(upload, vehicle, LossyLink(random.Random(1)))
    assert upload.result.verified
    assert not upload.result.uploaded


def test_one_changed_item_on_board_means_a_new_upload():
    """The same number of items is not the same plan."""
    sent = items(30)
    board = [replace(i, frame=3) for i in sent]
    board[17] = replace(board[17], altitude_m=51.0)
    vehicle = Ardu(mission=board)
    upload = ardu_upload(sent)
    run(upload, vehicle, LossyLink(random.Random(1)))
    assert upload.result.uploaded
    assert vehicle.mission[17].altitude_m == 50.0


def test_lost_final_acknowledgement_is_survived():
    """ArduPilot never repeats it, so the read-back decides."""
    sent = items(5)

    class Mute(Ardu):
        def take(self, item, now):
            answers = super().take(item, now)
            return [a for a in answers if a != MissionVerdict(Verdict.ACCEPTED)]

    upload = ardu_upload(sent)
    took_s = run(upload, Mute(), LossyLink(random.Random(1)))
    assert upload.result.verified
    assert took_s < 4


def test_read_back_difference_starts_over_and_then_gives_up_with_the_item():
    """A vehicle that stores something else is never called verified."""
    sent = items(6)

    class Bent(Ardu):
        def stored(self, item):
            return replace(super().stored(item), altitude_m=49.0)

    upload = Upload(sent, same=same, first=1, attempts=3)
    run(upload, Bent(), LossyLink(random.Random(1)))
    assert not upload.result.verified
    assert "item 1 came back" in upload.result.reason


@pytest.mark.parametrize(
    ("count", "changes", "words"),
    [(2000, {}, "no space"), (5, {"lat_deg": 95.0}, "item 3")],
)
def test_a_final_refusal_ends_the_upload_and_names_the_place(count, changes, words):
    """Trying again cannot help, so it is not tried."""
    sent = list(items(count))
    sent[3] = replace(sent[3], **changes)
    upload = ardu_upload(tuple(sent))
    took_s = run(upload, Ardu(), LossyLink(random.Random(1)))
    assert not upload.result.verified
    assert words in upload.result.reason
    assert took_s < 3


def test_a_vehicle_that_never_answers_is_given_up():
    """After the limit of each attempt, with the reason."""

    class Dead(Ardu):
        def receive(self, message, now):
            return []

    upload = Upload(items(3), attempts=2)
    took_s = run(upload, Dead(), LossyLink(random.Random(1)))
    assert not upload.result.verified
    assert "stopped answering" in upload.result.reason
    assert took_s < 100


def test_an_upload_left_half_done_by_another_process_is_begun_anew():
    """The vehicle denies reading while it receives, and takes a new count."""
    vehicle = Ardu()
    vehicle.begin(50, 0.0)
    upload = ardu_upload(items(10))
    run(upload, vehicle, LossyLink(random.Random(1)))
    assert upload.result.verified


def test_a_stale_request_does_not_turn_the_upload_back():
    """It is answered, but the next silence repeats the newest item."""
    upload = Upload(items(10))
    upload.start(0.0)
    upload.receive(ItemCount(0), 0.1)
    upload.receive(ItemWanted(0), 0.2)
    upload.receive(ItemWanted(5), 0.3)
    assert upload.receive(ItemWanted(2), 0.4)[0].seq == 2
    assert upload.tick(0.9)[0].seq == 5
    assert upload.stage is Stage.SEND


def test_clear_is_proven_by_the_count_that_remains():
    """Home alone is left on ArduPilot."""
    vehicle = Ardu(mission=list(items(5)))
    clear = Clear(first=1)
    run(clear, vehicle, LossyLink(random.Random(2), 0.2))
    assert clear.result.verified
    assert vehicle.mission == []


def test_clear_refused_says_so():
    """In AUTO the answer is an error."""

    class Busy(Ardu):
        def receive(self, message, now):
            return [MissionVerdict(Verdict.ERROR)]

    clear = Clear(first=1)
    run(clear, Busy(), LossyLink(random.Random(2)))
    assert clear.result.reason == "the vehicle answered error"


def test_reading_keeps_only_so_many_requests_under_way():
    """PX4 answers only the next one."""
    reader = ReadBack(window=3)
    reader.start(0.0)
    asked = reader.receive(ItemCount(10), 0.1)
    assert [a.seq for a in asked] == [0, 1, 2]
    assert [a.seq for a in reader.receive(items()[1], 0.2)] == [3]
