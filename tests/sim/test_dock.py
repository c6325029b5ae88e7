"""The dock's machine: door, charger, answers; and its MQTT side's address."""

from typing import Any

import pytest

from missions.errors import InputWrong
from missions.model import Dock
from sim.dock import DockMachine, Say, mqtt_options
from tests.sim.gcs import PAD, PAD_AMSL_M

DOCK = Dock("dock-east", {"en-US": "East dock"}, PAD, PAD_AMSL_M, charge_s=1800.0, max_wind_m_s=12.0)
NOW_S = 1_780_000_000.0


class Bird:
    """A drone as far as a dock cares."""

    def __init__(self, drone_id: str, *, share: float = 1.0) -> None:
        self.id = drone_id
        self.inside = True
        self.in_doorway = False
        self.charge_share = share
        self.shut = False

    def charge(self, dt_s: float, full_s: float) -> None:
        self.charge_share = min(1.0, self.charge_share + dt_s / full_s)

    def shut_in(self, shut: bool) -> None:
        self.shut = shut


class Keeper:
    """A dock with two drones and its clock."""

    def __init__(self) -> None:
        self.birds = (Bird("D1", share=0.5), Bird("D2"))
        self.machine = DockMachine(DOCK, self.birds, lambda: 4.26)
        self.now_s = NOW_S
        self.said: list[Say] = []
        self.wait(1)

    def wait(self, seconds: float) -> list[Say]:
        said = []
        for _ in range(round(seconds / 0.5)):
            self.now_s += 0.5
            said += self.machine.tick(self.now_s)
        self.said += said
        return said

    def command(self, command_id: Any, action: str, **more: Any) -> list[Say]:
        said = self.machine.command({"id": command_id, "action": action, **more}, self.now_s)
        self.said += said
        return said


def answers(said: list[Say]) -> list[dict[str, Any]]:
    return [body for topic, body, _ in said if topic == "docks/dock-east/answer"]


def states(said: list[Say]) -> list[dict[str, Any]]:
    return [body for topic, body, retained in said if topic == "docks/dock-east/state" and retained]


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


def test_the_door_takes_twenty_seconds_and_answers_when_it_is_open(keeper: Keeper) -> None:
    assert answers(keeper.command("a", "open")) == []
    assert answers(keeper.wait(19)) == []
    assert answers(keeper.wait(1.5)) == [{"id": "a", "state": "done"}]
    assert [s["door"] for s in states(keeper.said)][-2:] == ["opening", "open"]


def test_a_state_says_everything_the_contract_names(keeper: Keeper) -> None:
    state = states(keeper.said)[0]
    assert state.pop("at").endswith("+00:00")
    assert state == {
        "dock": "dock-east",
        "door": "closed",
        "charger": "off",
        "drones_in": ["D1", "D2"],
        "wind_m_s": 4.3,
        "rain_mm_h": 0.0,
    }


def test_the_state_is_told_every_ten_seconds_and_on_change(keeper: Keeper) -> None:
    assert len(states(keeper.wait(30))) == 3
    keeper.birds[0].inside = False
    assert states(keeper.wait(0.5))[0]["drones_in"] == ["D2"]


def test_the_same_command_twice_is_done_once_and_answered_as_before(keeper: Keeper) -> None:
    keeper.command("a", "open")
    assert keeper.command("a", "open") == []  # under way: the answer is still to come
    keeper.wait(21)
    keeper.command("b", "close")
    keeper.wait(21)
    assert answers(keeper.command("a", "open")) == [{"id": "a", "state": "done"}]
    assert keeper.machine.door == "closed"


def test_a_door_already_where_it_should_be_is_done_at_once(keeper: Keeper) -> None:
    assert answers(keeper.command("a", "close")) == [{"id": "a", "state": "done"}]


def test_a_door_turned_back_needs_the_way_it_came_and_fails_the_first_command(keeper: Keeper) -> None:
    keeper.command("a", "open")
    keeper.wait(5)
    keeper.command("b", "close")
    said = keeper.wait(6)
    assert answers(said) == [
        {"id": "a", "state": "failed", "reason": "another command turned the door"},
        {"id": "b", "state": "done"},
    ]


def test_the_door_does_not_close_on_a_drone(keeper: Keeper) -> None:
    keeper.command("a", "open")
    keeper.wait(21)
    keeper.birds[0].in_doorway = True
    (answer,) = answers(keeper.command("b", "close"))
    assert (answer["state"], answer["reason"]) == ("failed", "a drone is in the doorway")


def test_a_stuck_door_says_so(keeper: Keeper) -> None:
    keeper.machine.stuck = True
    keeper.command("a", "open")
    assert answers(keeper.wait(1))[0]["reason"] == "the door is stuck"
    assert states(keeper.said)[-1]["door"] == "stuck"


def test_charging_fills_an_empty_battery_in_the_docks_time_and_ends_full(keeper: Keeper) -> None:
    assert answers(keeper.command("a", "charge", drone="D1")) == [{"id": "a", "state": "done"}]
    assert states(keeper.said)[-1]["charger"] == "on"
    keeper.wait(450)
    assert keeper.birds[0].charge_share == pytest.approx(0.75, abs=0.001)
    keeper.wait(460)
    assert keeper.birds[0].charge_share == 1.0
    assert states(keeper.said)[-1]["charger"] == "off"


def test_charging_stops_when_told_and_when_the_drone_leaves(keeper: Keeper) -> None:
    keeper.command("a", "charge")
    keeper.command("b", "stop_charge")
    assert not keeper.machine.charging
    keeper.command("c", "charge", drone="D1")
    keeper.birds[0].inside = False
    keeper.wait(1)
    assert not keeper.machine.charging


def test_only_a_drone_in_the_dock_can_be_charged(keeper: Keeper) -> None:
    (answer,) = answers(keeper.command("a", "charge", drone="D9"))
    assert answer == {"id": "a", "state": "failed", "reason": "drone D9 is not in the dock"}


def test_a_shut_door_shuts_the_drones_in(keeper: Keeper) -> None:
    assert keeper.birds[0].shut
    keeper.command("a", "open")
    keeper.wait(21)
    assert not keeper.birds[0].shut


def test_nonsense_is_answered_or_passed_over(keeper: Keeper) -> None:
    assert "unknown action 'fly'" in answers(keeper.command("a", "fly"))[0]["reason"]
    assert keeper.machine.command("open", NOW_S) == []
    assert keeper.machine.command({"action": "open"}, NOW_S) == []
    assert keeper.machine.command({"id": 5, "action": "open"}, NOW_S) == []


def test_an_mqtt_address_is_read() -> None:
    assert mqtt_options("mqtt://dock:s%40fe@127.0.0.1:1884") == {
        "hostname": "127.0.0.1",
        "port": 1884,
        "username": "dock",
        "password": "s@fe",
    }


@pytest.mark.parametrize("url", ["127.0.0.1:1883", "http://x", "mqtt://", "mqtt://x:notaport"])
def test_what_is_no_mqtt_address_is_refused_with_what_was_expected(url: str) -> None:
    with pytest.raises(InputWrong, match="expected mqtt://"):
        mqtt_options(url)
