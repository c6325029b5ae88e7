"""What the demo tells a person."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from api.demo.story import Story

PLACE = {"en-US": "compartment 12", "zh-CN": "12林班"}
INCIDENT = {
    "id": "i1",
    "hazard": "fire",
    "place_name": PLACE,
    "temp_max_c": 512.4,
    "area_m2": 6.52,
    "ellipse": {"major_m": 7.2},
}
ALERT = {
    "id": "a1",
    "incident": "i1",
    "agency": "forestry",
    "severity": "orange",
    "title": {"en-US": "Suspected fire: compartment 12"},
}


def sortie(*states):
    steps = [{"state": s, "evidence": "142 items read back", "at": ""} for s in states]
    shots = {"planned": 12, "taken": 12, "files": 24}
    return {"id": "P1-S1", "state": states[-1], "dock": "east", "drone": "D1", "shots": shots, "steps": steps}


def story():
    return Story(ZoneInfo("Asia/Shanghai"), {"east": "East dock"}, {"forestry": "Forestry bureau"})


def test_each_step_of_a_sortie_is_told_once():
    """A row comes again with every change; only its new steps are news."""
    teller = story()
    assert list(teller.hear("sortie", sortie("preflight", "door_open"))) == [
        "P1-S1: D1 at East dock is checked for take-off",
        "P1-S1: East dock has opened",
    ]
    assert list(teller.hear("sortie", sortie("preflight", "door_open", "landed"))) == [
        "P1-S1: D1 has landed: 12 of 12 pictures taken"
    ]
    assert list(teller.hear("sortie", sortie("preflight", "door_open", "landed"))) == []


def test_a_fire_is_told_before_those_who_are_told_of_it():
    """In the stream the alert comes first."""
    teller = story()
    assert list(teller.hear("alert", ALERT)) == []
    assert list(teller.hear("incident", INCIDENT)) == [
        "Suspected fire (512 °C, about 6.5 m², ± 7 m) at compartment 12",
        "Forestry bureau is alerted (orange): Suspected fire: compartment 12",
    ]
    assert list(teller.hear("incident", INCIDENT)) == list(teller.hear("alert", ALERT)) == []


def test_the_progress_counts_what_there_is():
    teller = story()
    list(teller.hear("sortie", sortie("preflight", "flying")))
    for frame in ("f1", "f2", "f2"):
        list(teller.hear("frame", {"id": frame}))
    assert teller.arrived("forestry") == "Forestry bureau's desk received the alert, signature right"
    assert teller.progress() == "1 flying, 0 of 1 over, 2 pictures, 0 incidents, 1 alerts"


def test_times_are_those_of_the_site():
    assert story().clock(datetime(2026, 6, 1, 2, 5, 6, tzinfo=UTC)) == "10:05:06"
