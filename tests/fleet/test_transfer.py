"""The upload machine against bad links and vehicles with habits."""

import random
from dataclasses import replace

import pytest

from fleet.autopilots.ardupilot import ArduCopter
from fleet.autopilots.px4 import Px4
from fleet.bench.airlink import AirLink
from fleet.bench.airlink import run as drive
from fleet.bench.boards import ArduBoard, Px4Board, crc_of
from fleet.bench.plans import uploaded
from fleet.checksum import checksum
from fleet.clearing import Clear
from fleet.messages import Item, ItemCount, ItemWanted, ListKind, ListWanted, MissionVerdict, Verdict
from fleet.placement import Placement
from fleet.readback import Download, ReadBack
from fleet.transfer import Stage, Upload, UploadResult
from tests.fleet import lossy
from tests.fleet.lossy import Ardu, HastyPx4, LossyLink, run

SEEDS = range(25)


def items(count: int = 100) -> tuple[Item, ...]:
    return tuple(Item(i, 16, 6, (0.0, 0.0, 0.0, 0.0), 30 + i * 1e-4, 119.0, 50.0) for i in range(count))


def same(sent: Item, read: Item) -> bool:
    return replace(sent, frame=3) == replace(read, frame=3)


def ardu_upload(sent: tuple[Item, ...]) -> Upload:
    return Upload(sent, same=same, first=1, window=8)


@pytest.mark.parametrize("loss", [0.0, 0.05, 0.1, 0.2])
@pytest.mark.parametrize("kind", [Ardu, lossy.Px4])
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
@pytest.mark.parametrize("kind", [Ardu, lossy.Px4])
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


def told(upload: Upload, *, loss: float = 0.0, seed: int = 1, board: ArduBoard | Px4Board) -> float:
    """Return how long an upload to one of the bench's vehicles took."""
    return drive(upload, board, AirLink(random.Random(seed), loss))


def px4_upload(sent: tuple[Item, ...], **values) -> Upload:
    return Upload(sent, same=PX4.same, known_ids=frozenset({PX4.list_id(sent)}), **values)


PX4 = Px4()
COPTER = ArduCopter()


def test_a_plan_told_by_its_opaque_id_is_proven_without_reading_it():
    """The count and the id are the proof: not one item comes back."""
    sent, board = uploaded(PX4, 60), Px4Board()
    link = AirLink(random.Random(1), 0.0)
    upload = px4_upload(sent)
    drive(upload, board, link)
    assert upload.result.verified
    assert upload.result.opaque_id == crc_of(board.items) == PX4.list_id(sent)
    assert link.carried < 2 * 60 + 10


def test_the_same_opaque_id_on_board_needs_no_upload():
    """One question, one answer."""
    sent, board = uploaded(PX4, 60), Px4Board()
    told(px4_upload(sent), board=board)
    again = px4_upload(sent)
    assert told(again, board=board) < 0.2
    assert again.result == UploadResult(True, False, opaque_id=PX4.list_id(sent))
    assert board.uploads == 1


@pytest.mark.parametrize("seed", range(20))
def test_an_id_that_is_not_ours_is_not_believed(seed):
    """A firmware that counts otherwise, or that took something else: everything is read back."""
    sent, board = uploaded(PX4, 30), Px4Board()
    upload = Upload(sent, same=PX4.same, known_ids=frozenset({12345}))
    told(upload, loss=0.1, seed=seed, board=board)
    assert upload.result.verified
    remembered = Upload(sent, same=PX4.same, known_ids=frozenset({12345, upload.result.opaque_id}))
    told(remembered, loss=0.1, seed=seed, board=board)
    assert not remembered.result.uploaded


@pytest.mark.parametrize("seed", range(10))
def test_a_few_changed_items_are_written_and_the_rest_stays(seed):
    """The tail of a long patrol is mended; the whole is proven all the same."""
    old = uploaded(COPTER, 80)
    sent = tuple(replace(i, altitude_m=70.5) if i.seq in (41, 43) else i for i in old)
    board = ArduBoard()
    board.take_over(list(old))
    upload = Upload(sent, same=COPTER.same, first=1, window=8, partial=True)
    told(upload, loss=0.1, seed=seed, board=board)
    assert upload.result.verified
    assert 3 <= upload.result.written <= 6
    assert all(map(COPTER.same, sent[1:], board.items[1:]))
    assert board.uploads == 0


def test_many_changed_items_mean_a_new_upload():
    """Reading stops as soon as that is clear."""
    old = uploaded(COPTER, 80)
    sent = tuple(replace(i, altitude_m=70.5) for i in old)
    board = ArduBoard()
    board.take_over(list(old))
    upload = Upload(sent, same=COPTER.same, first=1, window=8, partial=True)
    told(upload, board=board)
    assert upload.result.verified
    assert upload.result.written == 80
    assert board.uploads == 1


def test_a_vehicle_that_takes_no_parts_gets_the_whole():
    """It answers the offer with an error."""

    class Whole(ArduBoard):
        def _begin_part(self, first, last, now):
            return [MissionVerdict(Verdict.ERROR)]

    old = uploaded(COPTER, 20)
    sent = tuple(replace(i, altitude_m=70.5) if i.seq == 5 else i for i in old)
    board = Whole()
    board.take_over(list(old))
    upload = Upload(sent, same=COPTER.same, first=1, window=8, partial=True)
    told(upload, board=board)
    assert upload.result.verified
    assert board.uploads == 1


@pytest.mark.parametrize("kind", [ListKind.FENCE, ListKind.RALLY])
def test_fences_and_rally_points_are_told_from_the_mission(kind):
    """What is said of another list in the middle of it is passed over."""
    sent = tuple(replace(i, kind=kind, frame=0) for i in items(5))
    upload = Upload(sent, kind=kind)
    (offer,) = upload.start(0.0)
    assert offer == ListWanted(kind)
    assert upload.receive(ItemCount(5), 0.1) == []
    (count,) = upload.receive(ItemCount(0, kind), 0.1)[1:]
    assert count == ItemCount(5, kind)
    assert upload.receive(ItemWanted(0), 0.2) == []
    assert upload.receive(ItemWanted(0, kind), 0.2) == [sent[0]]
    upload.receive(MissionVerdict(Verdict.NO_SPACE), 0.3)
    assert upload.result is None
    upload.receive(MissionVerdict(Verdict.NO_SPACE, kind), 0.3)
    assert f"a {kind.words} of 5 items" in upload.result.reason or "item 0" in upload.result.reason


@pytest.mark.parametrize("board", [ArduBoard, Px4Board])
@pytest.mark.parametrize("loss", [0.0, 0.2])
def test_a_list_is_downloaded_whole_whatever_is_lost(board, loss):
    """From either autopilot, with as many requests under way as it bears."""
    autopilot = COPTER if board is ArduBoard else PX4
    held = board(items=list(uploaded(autopilot, 50)))
    for seed in range(5):
        download = Download(window=autopilot.window)
        drive(download, held, AirLink(random.Random(seed), loss))
        assert download.result.items == tuple(held.items)


def test_a_download_that_is_never_answered_says_so():
    """After half a minute."""

    class Dead(ArduBoard):
        def receive(self, message, now):
            return []

    download = Download()
    assert drive(download, Dead(), AirLink(random.Random(1), 0.0)) < 40
    assert "stopped answering" in download.result.reason


def test_an_upload_that_another_transfer_with_us_blocks_ends_it_first():
    """PX4 was being read when the end of that got lost: it refuses a count until it forgets."""
    board = Px4Board(items=list(uploaded(PX4, 10)))
    board.receive(ListWanted(), 0.0)
    sent = uploaded(PX4, 20)
    upload = px4_upload(sent)
    upload._reader = ReadBack()
    upload._offer(0.0)
    board.receive(ItemCount(20), 0.0)
    took_s = told(px4_upload(sent), loss=0.2, seed=4, board=board)
    assert board.items == list(sent)
    assert took_s < 15


@pytest.mark.parametrize("seed", range(30))
def test_a_read_back_that_px4_breaks_off_begins_again(seed):
    """A request out of turn ends its reading; doubled and overtaken messages make some."""
    sent = uploaded(PX4, 25)
    vehicle = Px4Board()
    upload = Upload(sent, same=PX4.same)
    run(upload, vehicle, LossyLink(random.Random(seed), 0.1, double=0.1, jitter_s=0.3))
    assert upload.result.verified
    assert vehicle.items == list(sent)


def test_a_link_of_a_second_and_a_half_is_not_flooded():
    """The pace is the link's own; the vehicle itself asks for each item twice on such a link."""
    sent, board = uploaded(COPTER, 12), ArduBoard()
    link = AirLink(random.Random(1), 0.0, delay_s=0.75)
    upload = Upload(sent, same=COPTER.same, first=1, window=8)
    drive(upload, board, link)
    assert upload.result.verified
    assert link.carried < 110


@pytest.mark.parametrize(("autopilot", "board"), [(COPTER, ArduBoard), (PX4, Px4Board)])
def test_the_checksum_of_a_plan_sent_is_that_of_its_reading_back(autopilot, board):
    """In the form its autopilot keeps; any other plan has another one."""
    sent, held = uploaded(autopilot, 60), board()
    placement = Placement(sent, autopilot)
    drive(placement, held, AirLink(random.Random(1), 0.1))
    download = Download(window=autopilot.window)
    drive(download, held, AirLink(random.Random(1), 0.1))
    assert (
        placement.result.checksum == checksum(download.result.items, autopilot) == checksum(sent, autopilot)
    )
    moved = tuple(replace(i, lat_deg=i.lat_deg + 1e-7) if i.seq == 21 else i for i in sent)
    assert checksum(moved, autopilot) != checksum(sent, autopilot)
