"""What detectors say besides place and size: joined over looks, worded with units in both languages."""

from vision import told

PLUME = {
    "outfall": "O1",
    "outfall_name": {"en-US": "Mill drain", "zh-CN": "磨坊排口"},
    "length_m": 42.0,
    "goes_on_beyond_the_picture": "no",
    "warmer_k": 3.24,
}


def house(name: str, **names: str) -> dict[str, object]:
    return {"kind": "building", "id": name, "name": names}


def test_a_plume_is_told_with_its_length_and_its_difference_of_temperature():
    assert told.sentences(PLUME, "en-US") == [
        "Below outfall Mill drain.",
        "The plume is 42 m long.",
        "It is at least 3.2 °C warmer than the water above the outfall.",
    ]
    assert told.sentences(PLUME, "zh-CN") == [
        "位于排污口磨坊排口下游。",
        "污染带长42米。",
        "比排污口上游水温至少高3.2℃。",
    ]


def test_a_plume_that_leaves_the_picture_is_at_least_so_long_and_cold_water_is_colder():
    beyond = PLUME | {"goes_on_beyond_the_picture": "yes", "warmer_k": -2.0, "outfall_name": {}}
    outfall, length, colder = told.sentences(beyond, "en-US")
    assert outfall == "Below outfall O1."
    assert "at least 42 m" in length
    assert "2.0 °C colder" in colder


def test_the_better_look_speaks_and_what_any_look_reached_is_reached_once():
    first = {"area_m2": 90.0, "level_m": (1.0, 2.0, 3.0), "reached": [house("a"), house("b")]}
    better = {"area_m2": 110.0, "reached": (house("b"), house("c", **{"en-US": "Mill"}))}
    facts = told.joined(better, first)
    assert facts["area_m2"] == 110.0
    assert facts["level_m"] == (1.0, 2.0, 3.0)
    assert facts["reached_counts"] == {"building": 3}
    assert [one["id"] for one in told.shown(facts)["reached"]] == ["c"]


def test_a_felling_is_told_with_trees_timber_tracks_and_vehicles():
    felled = {"trees": (18.0, 25.0, 40.0), "timber_m3": (4.0, 8.2, 17.5)}
    felled |= {"track_m": 36.0, "track_wide_m": 3.4, "vehicle": "by its warmth"}
    assert told.sentences(felled, "en-US") == [
        "About 25 trees (18 to 40).",
        "About 8 m³ of timber (4 to 18).",
        "Fresh track: 36 m long, 3 m wide.",
        "A vehicle stands in the wood, told by its warmth; what kind is not known.",
    ]
    assert "新开集材道：长36米，宽3米。" in told.sentences(felled, "zh-CN")


def test_a_vehicle_seen_in_colour_is_told_with_its_length_and_how_near_it_stood():
    assert told.sentences({"vehicle": "by its look", "length_m": 7.4}, "en-US") == [
        "A vehicle some 7.4 m long stands in the wood, told by its look; what kind is not known."
    ]
    assert told.sentences({"vehicle_within_m": 50.0}, "en-US") == ["A vehicle was seen within 50 m of it."]
    assert told.sentences({"vehicle_within_m": 50.0}, "zh-CN") == ["其周围50米内发现车辆。"]


def test_nothing_said_is_nothing_told():
    assert told.sentences({}, "en-US") == []
    assert told.joined({}, {}) == {}
