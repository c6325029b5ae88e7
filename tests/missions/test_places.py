"""Places are worded by the site's own layers, in both languages."""

import pytest

from missions.geo import Area, LatLon, LocalFrame
from missions.model import NamedArea, PowerLine, ReferenceLayers, River
from missions.places import describe

FRAME = LocalFrame(LatLon(30.0, 120.0))


def at(east_m: float, north_m: float) -> LatLon:
    return FRAME.to_place(east_m, north_m)


def square(east_m: float, north_m: float, half_m: float) -> Area:
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return Area(tuple(at(east_m + half_m * x, north_m + half_m * y) for x, y in corners))


LAYERS = ReferenceLayers(
    lines=(
        PowerLine(
            "jingle",
            {"en-US": "Jingle line", "zh-CN": "景乐线"},
            110,
            tuple((str(44 + n), at(300.0 * n, 0.0)) for n in range(4)),
        ),
    ),
    rivers=(
        River("lan", {"en-US": "Lan river", "zh-CN": "兰溪"}, (at(0, 2000), at(2000, 2000)), 900.0, 10.0),
    ),
    compartments=(
        NamedArea("c7", "compartment", {"en-US": "compartment 7", "zh-CN": "7林班"}, square(0, -2000, 200)),
    ),
    villages=(NamedArea("v", "village", {"en-US": "Heping", "zh-CN": "和平村"}, square(5000, 5000, 100)),),
)


@pytest.mark.parametrize(
    ("place", "english", "chinese"),
    [
        (
            at(420, 5),
            "110 kV Jingle line, towers 45–46, 120 m on the small-number side",
            "110千伏景乐线45–46号塔，小号侧120米",
        ),
        (
            at(560, 60),
            "110 kV Jingle line, towers 45–46, 40 m on the large-number side, 60 m off the line",
            "110千伏景乐线45–46号塔，大号侧40米，距线路60米",
        ),
        (at(340, 2015), "Lan river, km 1+240, left bank", "兰溪K1+240，左岸"),
        (at(340, 1980), "Lan river, km 1+240, right bank", "兰溪K1+240，右岸"),
        (at(340, 2003), "Lan river, km 1+240, in the water", "兰溪K1+240，河道内"),
        (at(50, -1950), "compartment 7", "7林班"),
        (at(5000, 5400), "300 m north of Heping", "和平村以北300米"),
        (
            at(420, 500),
            "110 kV Jingle line, towers 45–46, 120 m on the small-number side, 500 m off the line",
            "110千伏景乐线45–46号塔，小号侧120米，距线路500米",
        ),
        (
            at(340, 1500),
            "Lan river, km 1+240, right bank, 490 m from the water",
            "兰溪K1+240，右岸，距水边490米",
        ),
        (at(-9000, 9000), "30.08116, 119.90665", "30.08116, 119.90665"),
    ],
)
def test_a_place_is_worded_by_what_it_lies_on(place: LatLon, english: str, chinese: str) -> None:
    """Tower side and metres, chainage and bank, compartment, village; degrees only where nothing is near."""
    assert describe(place, LAYERS, "en-US") == english
    assert describe(place, LAYERS, "zh-CN") == chinese


def test_left_bank_is_left_looking_downstream() -> None:
    """Turning the river round swaps the banks."""
    river = LAYERS.rivers[0]
    upstream = River(river.id, river.name, river.line[::-1], 0.0, river.half_width_m)
    assert "right bank" in describe(at(340, 2015), ReferenceLayers(rivers=(upstream,)))


def test_a_place_in_a_forest_at_a_line_names_both() -> None:
    """The line first: it is the more telling when the place is right at it."""
    forest = NamedArea("c8", "compartment", {"en-US": "compartment 8"}, square(450, 0, 300))
    layers = ReferenceLayers(lines=LAYERS.lines, compartments=(forest,))
    words = describe(at(420, 5), layers)
    assert words.startswith("110 kV Jingle line")
    assert words.endswith("; compartment 8")
