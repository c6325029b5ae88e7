"""Whatever comes over a link, a vehicle answers or is silent; it never breaks."""

import math
import random
from typing import Any

import pytest

from sim.autopilot.dialect import mav
from sim.autopilot.personality import ARDUCOPTER, PX4, Personality
from tests.sim.gcs import Station

ODD = (0.0, -0.0, 1.0, -1.0, 3.5, 255.0, 65535.0, 1e9, -1e9, 3.4e38, -3.4e38, math.inf, -math.inf, math.nan)
WHOLE = {"uint8_t": (0, 255), "int8_t": (-128, 127), "uint16_t": (0, 65535), "int16_t": (-32768, 32767)}
WHOLE |= {"uint32_t": (0, 2**32 - 1), "int32_t": (-(2**31), 2**31 - 1)}
WHOLE |= {"uint64_t": (0, 2**63), "int64_t": (-(2**62), 2**62)}
TAKEN = (
    *("HEARTBEAT", "COMMAND_LONG", "COMMAND_INT", "SET_MODE", "MISSION_COUNT", "MISSION_ITEM_INT"),
    *("MISSION_ITEM", "MISSION_REQUEST_LIST", "MISSION_REQUEST", "MISSION_REQUEST_INT", "MISSION_ACK"),
    *("MISSION_CLEAR_ALL", "MISSION_SET_CURRENT", "MISSION_WRITE_PARTIAL_LIST", "PARAM_SET"),
    *("PARAM_REQUEST_READ", "PARAM_REQUEST_LIST", "REQUEST_DATA_STREAM", "TIMESYNC", "TERRAIN_DATA"),
    *("TERRAIN_CHECK", "FILE_TRANSFER_PROTOCOL", "SET_POSITION_TARGET_GLOBAL_INT", "SETUP_SIGNING"),
    *("SET_POSITION_TARGET_LOCAL_NED", "STATUSTEXT", "ATTITUDE"),
)


def odd_message(kind: str, dice: random.Random) -> Any:
    """Return a message of a kind whose fields are anything they can be; mostly to this vehicle."""
    maker = mav.mavlink_map[getattr(mav, f"MAVLINK_MSG_ID_{kind}")]
    values = []
    lengths = dict(zip(maker.ordered_fieldnames, maker.array_lengths, strict=True))
    types = dict(zip(maker.fieldnames, maker.fieldtypes, strict=True))
    for name in maker.fieldnames:
        many, form = lengths[name], types[name]
        if name in ("target_system", "target_component") and dice.random() < 0.9:
            values.append(1 if name == "target_system" else dice.choice((0, 1, 1, 100)))
        elif form == "char":
            values.append(dice.choice((b"RTL_ALT", b"MAV_SYS_ID", b"\xff\xfe", b"", b"_HASH_CHECK")))
        elif form in ("float", "double"):
            values.append(dice.choice(ODD) if not many else [dice.choice(ODD) for _ in range(many)])
        else:
            low, high = WHOLE[form]
            pick = [
                dice.choice((low, high, 0, 1, 2, 3, 16, 22, dice.randint(low, high)))
                for _ in range(many or 1)
            ]
            pick = [min(high, max(low, v)) for v in pick]
            values.append(pick if many else pick[0])
    return maker(*values)


@pytest.mark.parametrize("personality", [ARDUCOPTER, PX4], ids=lambda p: p.name)
@pytest.mark.parametrize("seed", range(3))
def test_messages_with_any_values_break_nothing(personality: Personality, seed: int) -> None:
    dice = random.Random(seed)
    station = Station(personality=personality)
    for n in range(1500):
        message = odd_message(dice.choice(TAKEN), dice)
        station.tell(message, link=dice.randrange(3))
        if n % 10 == 0:
            station.wait(0.5)
    station.wait(5)
    assert all(math.isfinite(metres) for metres in station.vehicle.drone.at)


@pytest.mark.parametrize("personality", [ARDUCOPTER, PX4], ids=lambda p: p.name)
def test_every_command_with_any_values_is_answered_once(personality: Personality) -> None:
    dice = random.Random(4)
    station = Station(personality=personality)
    for number in [*personality.handlers, 1, 65535] * 6:
        values = [dice.choice(ODD) for _ in range(7)]
        result = station.command(number, *values)
        assert result in range(10)
        station.wait(0.2)
