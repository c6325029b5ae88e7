"""Who is told, as a table of places, sizes and histories."""

from datetime import timedelta

import pytest

from api.alerts import NotifyReason, Told, decide, severity, title
from missions.geo import LatLon, moved
from missions.model import Hazard, Severity, Site
from tests.api.world import BORDER, FOREST, NOW, VILLAGE, incident
from vision.model import Ellipse

FAR = LatLon(30.4, 119.6)


@pytest.mark.parametrize(
    ("agency", "place", "area_m2", "reason"),
    [
        ("forestry", FOREST, 0.3, NotifyReason.FIRST),
        ("forestry", VILLAGE, 20.0, NotifyReason.NOT_ITS_GROUND),
        ("forestry", FAR, 20.0, NotifyReason.NOT_ITS_GROUND),
        ("village", VILLAGE, 20.0, NotifyReason.FIRST),
        ("village", VILLAGE, 0.3, NotifyReason.BELOW_FLOOR),
        ("village", FOREST, 20.0, NotifyReason.NOT_ITS_GROUND),
        # On the border both sides hear of it.
        ("forestry", BORDER, 20.0, NotifyReason.FIRST),
        ("village", BORDER, 20.0, NotifyReason.FIRST),
    ],
)
def test_an_agency_hears_first_of_its_hazard_on_its_ground_above_its_floor(
    site: Site, agency: str, place: LatLon, area_m2: float, reason: NotifyReason
) -> None:
    assert decide(incident(place, area_m2=area_m2), site.agency(agency), None, NOW).notify is reason


def test_an_ellipse_that_reaches_over_the_border_tells_the_neighbour_too(site: Site) -> None:
    """20 m inside the forest: an uncertainty of 15 m stays there, one of 25 m does not."""
    place = moved(BORDER, 270.0, 20.0)
    for major_m, reason in ((15.0, NotifyReason.NOT_ITS_GROUND), (25.0, NotifyReason.FIRST)):
        seen = incident(place, area_m2=20.0, ellipse=Ellipse(major_m, 2.0, 90.0))
        assert decide(seen, site.agency("village"), None, NOW).notify is reason
        assert decide(seen, site.agency("forestry"), None, NOW).notify is NotifyReason.FIRST


def test_an_agency_does_not_hear_of_hazards_it_did_not_ask_for(site: Site) -> None:
    flood = incident(FOREST, hazard=Hazard.FLOOD, area_m2=1e6)
    assert decide(flood, site.agency("forestry"), None, NOW).notify is NotifyReason.NOT_ITS_HAZARD


@pytest.mark.parametrize(
    ("area_m2", "minutes", "reason"),
    [
        (1.0, 60, NotifyReason.KNOWN),
        (1.9, 60, NotifyReason.KNOWN),
        (1.99, 60, NotifyReason.KNOWN),
        (2.5, 0, NotifyReason.WORSE),  # orange now: told at once
    ],
)
def test_it_hears_again_only_of_news(site: Site, area_m2: float, minutes: int, reason: NotifyReason) -> None:
    told = Told(Severity.YELLOW, 1.0, NOW)
    now = NOW + timedelta(minutes=minutes)
    assert decide(incident(FOREST, area_m2=area_m2), site.agency("forestry"), told, now).notify is reason


@pytest.mark.parametrize(("minutes", "reason"), [(1, NotifyReason.RESTING), (10, NotifyReason.GROWN)])
def test_growth_without_a_higher_severity_waits_its_turn(
    site: Site, minutes: int, reason: NotifyReason
) -> None:
    told = Told(Severity.ORANGE, 5.0, NOW)
    now = NOW + timedelta(minutes=minutes)
    assert decide(incident(FOREST, area_m2=12.0), site.agency("forestry"), told, now).notify is reason


def test_whoever_was_told_keeps_hearing_when_the_estimate_moves_off_its_ground(site: Site) -> None:
    told = Told(Severity.YELLOW, 1.0, NOW)
    worse = incident(VILLAGE, area_m2=60.0)
    assert decide(worse, site.agency("forestry"), told, NOW).notify is NotifyReason.WORSE


@pytest.mark.parametrize(
    ("hazard", "area_m2", "temp_c", "expected"),
    [
        (Hazard.FIRE, None, 300.0, Severity.YELLOW),
        (Hazard.FIRE, 0.3, 300.0, Severity.YELLOW),
        (Hazard.FIRE, 2.0, 300.0, Severity.ORANGE),
        (Hazard.FIRE, 50.0, 300.0, Severity.RED),
        (Hazard.FLOOD, 600.0, None, Severity.ORANGE),
        (Hazard.HOT_JOINT, None, 131.0, Severity.ORANGE),
        (Hazard.HOT_JOINT, None, 60.0, Severity.BLUE),
        (Hazard.WILDLIFE, None, None, Severity.BLUE),
    ],
)
def test_severity_follows_hazard_size_and_heat(
    hazard: Hazard, area_m2: float | None, temp_c: float | None, expected: Severity
) -> None:
    assert severity(incident(FOREST, hazard=hazard, area_m2=area_m2, temp_max_c=temp_c)) is expected


@pytest.mark.parametrize("hazard", Hazard)
def test_every_hazard_has_a_headline_in_both_languages(hazard: Hazard) -> None:
    words = title(hazard, {"en-US": "tower 7", "zh-CN": "7号塔"})
    assert words["en-US"].endswith(": tower 7")
    assert words["zh-CN"].endswith("：7号塔")


def test_an_unconfirmed_fire_is_called_suspected() -> None:
    words = title(Hazard.FIRE, {"en-US": "tower 7", "zh-CN": "7号塔"})
    assert words == {"en-US": "Suspected fire: tower 7", "zh-CN": "疑似火情：7号塔"}
