"""The bench of fleet: its rows, and what they are computed from."""

import json

import pytest

from fleet import bench
from fleet.bench import ftp, upload, vehicles
from fleet.bench.boards import ArduBoard
from fleet.bench.peers import PEERS, Peer, heard_by
from fleet.bench.plans import uploaded
from fleet.bench.rivals import MAVSDK, QGROUNDCONTROL, RivalUpload
from missions.measure import Job, Raw, suite


def job(folder=None, only: tuple[str, ...] = ()) -> Job:
    return Job(Raw(folder), lambda _text: None, quick=True, only=only)


def test_every_group_has_its_rows_where_the_suite_looks_for_them():
    """A name without a function would fail only when somebody measures."""
    bench.enrol()
    for place in suite("fleet").groups.values():
        module, _, function = place.partition(":")
        assert callable(getattr(__import__(module, fromlist=[function]), function)), place


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
def test_uploads_are_proven_at_five_percent_loss(autopilot, tmp_path):
    """A short run of what the figures of record are made of; each run's outcome is kept."""
    row = f"upload.{autopilot}.loss05"
    found = {r.name: r for r in upload.rows(job(tmp_path, only=(row,)))}
    assert found[f"{row}.success"].value == 1.0
    assert found[f"{row}.median_s"].ok
    assert found[f"{row}.unproven_claims"].value == 0
    kept = [json.loads(line) for line in (tmp_path / f"{row}.jsonl").read_text().splitlines()]
    assert [k["seed"] for k in kept] == list(range(10))


def test_a_mission_by_file_is_on_board_in_time():
    """And went by file, not item by item."""
    found = {r.name: r for r in ftp.rows(job())}
    assert found["mavftp500.median_s"].ok
    assert found["mavftp500.by_file"].value == 1.0
    assert found["mavftp500.item_by_item_s"].value > 40


def test_a_small_crowd_is_heard_whole():
    """Every message of another process is in a state."""
    found = {r.name: r for r in vehicles.rows(job(only=("vehicles.count", "vehicles.lost")))}
    assert found["vehicles.lost"].value == 0
    assert found["vehicles.heard"].value == 100 * 13 * 3


def test_a_peer_that_is_not_installed_is_skipped_with_the_reason():
    """And never stands for nought."""
    absent = Peer("nobody", "no_such_module", "", "")
    assert heard_by(absent, [1], ["true"], 1, 1.0).missing == "no_such_module is not installed"
    assert {p.name for p in PEERS} == {"mavutil", "mavsdk"}


@pytest.mark.parametrize("rules", [QGROUNDCONTROL, MAVSDK])
def test_other_clients_rules_upload_over_a_good_link(rules):
    """The model of them works where they do; what they lose is the link's."""
    items, board = uploaded(upload.ArduCopter(), 40), ArduBoard()
    client = RivalUpload(items, rules)
    upload.run(client, board, upload.AirLink(upload.random.Random(1), 0.0))
    assert client.result is True
    assert len(board.items) == 40


@pytest.mark.parametrize("rules", [QGROUNDCONTROL, MAVSDK])
def test_other_clients_rules_give_up_on_a_silent_vehicle(rules):
    """Within seconds, not never."""

    class Silent:
        def receive(self, message, now):
            return []

        def tick(self, now):
            return []

    client = RivalUpload(uploaded(upload.ArduCopter(), 40), rules)
    took_s = upload.run(client, Silent(), upload.AirLink(upload.random.Random(1), 0.0))
    assert client.result is False
    assert took_s < 15


def test_delays_are_told_over_the_wrap_of_the_microsecond_counter():
    """It begins anew every 18 minutes."""
    now_us = vehicles.time.monotonic_ns() // 1000 % vehicles.CLOCK_WRAP_US
    assert 0 <= vehicles.late_ms(now_us) < 1000
    assert 4.0 <= vehicles.late_ms((now_us - 5000) % vehicles.CLOCK_WRAP_US) < 1000
    assert vehicles.percentile([], 0.99) == float("inf")
    assert vehicles.percentile([1.0, 2.0, 3.0], 0.99) == 3.0
