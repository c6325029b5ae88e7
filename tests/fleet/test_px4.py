"""What differs for PX4: no home, its modes, opaque ids, headings and whole numbers."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.autopilots import Flying, Step
from fleet.autopilots.choice import autopilot_of
from fleet.autopilots.px4 import Px4
from fleet.bench.boards import crc_of
from fleet.bench.plans import DOCK, patrol
from fleet.messages import Firmware, Item, Parameter
from missions.items import MissionItem
from tests.fleet.builders import order

PX4 = Px4()
HOLD, MISSION, RTL, LAND = (4 << 16 | sub << 24 for sub in (3, 4, 5, 6))


def placed(command: int, **values) -> Item:
    values = {"frame": 3, "params": (0.0, 0.0, 0.0, math.nan)} | values
    return Item(0, command, values["frame"], values["params"], 30.28, 119.42, 60.0)


def test_there_is_no_home_item_and_the_first_is_ours():
    """Items are numbered from 0."""
    items = PX4.mission(patrol(10), DOCK)
    assert [i.seq for i in items] == list(range(10))
    assert items[0].command == 22


def test_no_heading_is_nan_because_zero_is_north():
    """A waypoint is passed as it flies; a heading that is wanted stays."""
    none, east = MissionItem(16, 3, (0.0,) * 4, 1.0, 2.0, 3.0), MissionItem(16, 3, (0, 0, 0, 90.0), 1.0, 2.0)
    first, second = PX4.mission([none, east], DOCK)
    assert math.isnan(first.params[3])
    assert second.params[3] == 90.0
    (camera,) = PX4.mission([MissionItem(2000, 2, (0.0, 0.0, 1.0, 0.0))], DOCK)
    assert camera.params[3] == 0.0


@pytest.mark.parametrize(
    ("sent", "read", "alike"),
    [
        (placed(16), placed(16, frame=6), True),  # as it comes back in MISSION_ITEM_INT
        (placed(16), placed(16, params=(0.0, 0.0, 0.0, 0.0)), False),  # north is not "as it flies"
        (placed(16, params=(5, 0, 0, -90.0)), placed(16, params=(5, 0, 0, 270.0)), True),
        (placed(16, params=(5, 0, 0, 90.0)), placed(16, params=(6, 0, 0, 90.0)), False),
        (placed(22, params=(15.0, 0, 0, math.nan)), placed(22), True),  # a pitch is not kept
        (placed(16), placed(21), False),
        (placed(178, frame=2, params=(1, 10, -1, 0)), placed(178, frame=2, params=(1, 9, -1, 0)), False),
    ],
)
def test_an_item_is_the_one_sent_as_px4_stores_it(sent, read, alike):
    """What it rounds or drops is no difference; anything else is."""
    assert PX4.same(sent, read) is alike


@given(
    st.lists(
        st.tuples(
            st.sampled_from([16, 22, 178, 2000]),
            st.tuples(*[st.floats(-500, 500, width=32) | st.just(math.nan)] * 4),
            st.floats(-90, 90),
            st.floats(-180, 180),
        ),
        max_size=20,
    )
)
def test_the_opaque_id_is_what_another_reading_of_the_format_gives(rows):
    """The bench's vehicle computes its own, written apart."""
    items = [Item(n, c, 3, p, lat, lon, 60.25) for n, (c, p, lat, lon) in enumerate(rows)]
    assert PX4.list_id(items) == crc_of(items)


def test_every_item_counts_for_the_opaque_id():
    """Also its place in the list."""
    items = list(PX4.mission(patrol(12), DOCK))
    ids = {PX4.list_id(items), PX4.list_id(items[:-1]), PX4.list_id([items[1], items[0], *items[2:]])}
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("mode", "flying", "name"),
    [
        (HOLD, Flying.READY, "AUTO.LOITER"),
        (MISSION, Flying.MISSION, "AUTO.MISSION"),
        (RTL, Flying.RETURN, "AUTO.RTL"),
        (LAND, Flying.LAND, "AUTO.LAND"),
        (3 << 16, Flying.OTHER, "POSCTL"),
        (None, Flying.OTHER, "unknown"),
        (99, Flying.OTHER, "mode 99"),
    ],
)
def test_modes_are_a_main_and_a_sub_number(mode, flying, name):
    """In the two high bytes of custom_mode."""
    assert PX4.flying(mode) is flying
    assert PX4.mode_name(mode) == name


@pytest.mark.parametrize(
    ("step", "params"),
    [
        (Step.READY, (1.0, 4.0, 3.0)),
        (Step.START, (1.0, 4.0, 4.0)),
        (Step.PAUSE, (1.0, 4.0, 3.0)),
        (Step.RESUME, (1.0, 4.0, 4.0)),
        (Step.RECALL, (1.0, 4.0, 5.0)),
        (Step.LAND, (1.0, 4.0, 6.0)),
    ],
)
def test_steps_are_modes(step, params):
    """Armed in Hold, it takes off when the mission begins."""
    (command,) = PX4.commands(step, HOLD if step is not Step.PAUSE else MISSION)
    assert (command.number, command.params[:3]) == (176, params)


def test_a_step_is_done_when_the_vehicle_is_in_it():
    """Not when it is acknowledged."""
    assert not PX4.kept(Step.START, armed=True, mode=HOLD)
    assert PX4.kept(Step.START, armed=True, mode=MISSION)
    assert not PX4.kept(Step.ARM, armed=False, mode=HOLD)
    assert PX4.kept(Step.ARM, armed=True, mode=HOLD)


@given(st.integers(-(2**22), 2**22), st.sampled_from([5, 6]))
def test_whole_numbers_travel_as_the_bits_of_a_float(number, kind):
    """There and back; a float stays one."""
    number = abs(number) if kind == 5 else number
    carried = PX4.wire_number(float(number), kind)
    told = struct.unpack("<f", struct.pack("<f", carried))[0]
    assert PX4.read_number(Parameter("COM_LOW_BAT_ACT", told, kind)) == number
    assert PX4.read_number(Parameter("RTL_RETURN_ALT", 60.5, 9)) == 60.5


def test_the_profile_brings_it_home_and_flies_as_planned():
    """In m/s, not in ArduPilot's cm/s."""
    values = {w.name: w.value for w in PX4.profile(order(climb_m_s=4.0))}
    assert values["MPC_XY_CRUISE"] == 12.0
    assert values["MPC_Z_V_AUTO_UP"] == 4.0
    assert (values["NAV_DLL_ACT"], values["COM_RC_IN_MODE"]) == (2, 4)


def test_the_heartbeat_tells_which_autopilot_it_is():
    """Nobody has to say it."""
    assert autopilot_of(Firmware.PX4).name == "PX4"
    assert autopilot_of(Firmware.ARDUPILOT).name == "ArduCopter"
    assert autopilot_of(None).name == "ArduCopter"
