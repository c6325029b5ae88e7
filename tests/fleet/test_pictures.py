"""Which planned picture is in which file."""

from fleet.messages import PictureTaken, ShutterFired
from fleet.pictures import PictureLedger, match
from missions.geo import LatLon, moved

PLACES = {i: moved(LatLon(30.28, 119.42), 0.0, 40.0 * i) for i in range(6)}


def record(index: int, shot: int, *, camera: int = 100, off_m: float = 4.0) -> PictureTaken:
    place = moved(PLACES[shot], 60.0, off_m)
    url = f"http://cam/{camera}/{index}"
    return PictureTaken(camera, index, 0, place.lat_deg, place.lon_deg, 200.0, 0.0, -90.0, 0.0, True, url)


def fired(number: int, shot: int) -> ShutterFired:
    return ShutterFired(number, PLACES[shot].lat_deg, PLACES[shot].lon_deg)


def test_numbers_count_on_from_before_the_flight():
    """The camera was switched on two flights ago."""
    records = {i: record(i, i - 164) for i in range(164, 170)}
    assert match(records, PLACES, 164) == {i: i - 164 for i in range(164, 170)}


def test_without_a_first_number_the_places_decide():
    """The camera never told its count."""
    records = {7: record(7, 2), 8: record(8, 3)}
    assert match(records, PLACES, None) == {7: 2, 8: 3}


def test_a_lost_record_leaves_the_others_where_they_are():
    """Numbers leave a gap."""
    records = {0: record(0, 0), 3: record(3, 3)}
    assert match(records, PLACES, 0) == {0: 0, 3: 3}


def test_a_shot_the_camera_missed_slides_the_numbers_and_not_the_places():
    """Image 2 was taken at shot 3."""
    records = {0: record(0, 0), 1: record(1, 1), 2: record(2, 3), 3: record(3, 4)}
    assert match(records, PLACES, 0) == {0: 0, 1: 1, 2: 3, 3: 4}


def test_a_picture_far_from_every_plan_is_none_of_them():
    """Somebody pressed the shutter elsewhere."""
    assert match({0: record(0, 5, off_m=500.0)}, PLACES, 0) == {}


def test_missing_records_are_known_by_their_numbers():
    """Inside a gap, and at the end from the camera's own count."""
    ledger = PictureLedger(PLACES)
    ledger.count(100, 10, before=True)
    ledger.add(record(10, 0))
    ledger.add(record(12, 2))
    assert ledger.all_missing() == [(100, 11)]
    ledger.count(100, 15, after=True)
    assert ledger.all_missing() == [(100, 11), (100, 13), (100, 14)]
    assert ledger.files_wanted == ledger.taken == 5


def test_a_camera_owes_its_count_after_landing():
    """The records nobody heard are known by it alone."""
    ledger = PictureLedger(PLACES)
    ledger.count(101, 10, before=True)
    ledger.count(101, 10)
    assert ledger.files_wanted == 1
    ledger.count(101, 10, after=True)
    assert ledger.files_wanted == 0


def test_a_number_no_flight_reaches_hides_no_other():
    """An odd record, and an odd count before it."""
    ledger = PictureLedger(PLACES)
    ledger.count(100, 10**7, before=True)
    for index in (0, 2, 10**6):
        ledger.add(record(index, 0))
    assert ledger.all_missing() == [(100, 1)]


def test_a_record_told_twice_counts_once():
    """Asked again and answered twice."""
    ledger = PictureLedger(PLACES)
    assert ledger.add(record(0, 0))
    assert not ledger.add(record(0, 0))
    assert ledger.taken == 1


def test_a_record_of_an_earlier_flight_is_passed_over():
    """Cameras answer late."""
    ledger = PictureLedger(PLACES)
    ledger.count(100, 10, before=True)
    assert not ledger.add(record(9, 0))


def test_pictures_only_the_autopilot_told_are_counted_by_its_numbers():
    """It counts from its start, and the link loses one."""
    ledger = PictureLedger(PLACES)
    for number in (166, 168, 169):
        ledger.note_shutter(fired(number, number - 166))
    assert ledger.taken == 4
    assert ledger.proven == {0, 1, 2, 3}


def test_two_cameras_make_two_files_of_one_shot():
    """Thermal and RGB."""
    ledger = PictureLedger(PLACES)
    ledger.add(record(0, 0, camera=100))
    ledger.add(record(0, 0, camera=101))
    assert ledger.taken == 1
    assert ledger.files_wanted == 2
    assert ledger.shot_of(record(0, 0, camera=101)) == 0


def test_a_shot_is_proven_by_the_records_of_every_camera():
    """What only one of two took is flown again."""
    ledger = PictureLedger(PLACES)
    for shot in range(4):
        ledger.add(record(shot, shot, camera=100))
    for shot in (0, 1, 3):
        ledger.add(record(shot, shot, camera=101))
    assert ledger.proven == {0, 1, 3}


def test_a_camera_that_was_counted_and_took_nothing_proves_nothing():
    """It fell silent before the first shot."""
    ledger = PictureLedger(PLACES)
    ledger.count(101, 7, before=True)
    ledger.add(record(0, 0, camera=100))
    assert ledger.proven == frozenset()


def test_a_shutter_number_that_was_never_told_proves_no_shot_it_may_have_missed():
    """The number slides where the autopilot did not fire."""
    ledger = PictureLedger(PLACES)
    for number, shot in ((10, 0), (11, 1), (12, 3), (14, 5)):
        ledger.note_shutter(fired(number, shot))
    assert ledger.proven == {0, 1, 3, 4, 5}


def test_the_rest_of_a_sortie_keeps_the_numbers_of_its_shots():
    """Shots 1, 4 and 5 were left; the camera counts on by one."""
    places = {shot: PLACES[shot] for shot in (1, 4, 5)}
    records = {20: record(20, 1), 21: record(21, 4), 22: record(22, 5)}
    assert match(records, places, 20) == {20: 1, 21: 4, 22: 5}
