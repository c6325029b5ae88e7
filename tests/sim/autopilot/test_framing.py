"""Packets made the short way are the packets the generated classes make."""

import random

import pytest

from sim.autopilot.dialect import mav
from sim.autopilot.framing import Framer
from sim.autopilot.opaque import MissionAck, MissionCurrent
from sim.autopilot.personality import ARDUCOPTER, PX4, Personality
from tests.sim.autopilot.test_fuzz import TAKEN, odd_message
from tests.sim.gcs import Station


@pytest.mark.parametrize("personality", [ARDUCOPTER, PX4], ids=lambda p: p.name)
def test_every_message_a_vehicle_tells_has_the_same_bytes(personality: Personality) -> None:
    station = Station(personality=personality)
    framer, packer = Framer(1, 1), mav.MAVLink(None, 1, 1)
    for number in personality.builders:
        message = station.vehicle.build(number)
        if message is not None:
            assert framer.frame(message) == bytes(message.pack(packer)), message.get_type()
            packer.seq = (packer.seq + 1) % 256


def test_any_message_with_any_values_has_the_same_bytes() -> None:
    dice = random.Random(2)
    framer, packer = Framer(7, 100), mav.MAVLink(None, 7, 100)
    messages = [odd_message(dice.choice(TAKEN), dice) for _ in range(600)]
    messages += [MissionAck(255, 190, 0, 0, 12345), MissionCurrent(1, 2, 3, 1, (0, 7, 0))]
    for message in messages:
        assert framer.frame(message) == bytes(message.pack(packer))
        packer.seq = (packer.seq + 1) % 256


def test_a_message_can_be_sent_on_several_links() -> None:
    message = mav.MAVLink_heartbeat_message(2, 3, 0, 0, 3, 3)
    one, two = Framer(1, 1), Framer(1, 1)
    one.frame(message)
    assert one.frame(message)[4] == 1
    assert two.frame(message)[4] == 0
