"""Wires found by their shape: all of them, nothing else, whatever hangs beside or below."""

import numpy as np
import pytest

from tests.vision.lidar import survey_lines
from vision.lidar.clearance import clearances, near_wires, towers
from vision.lidar.ground import ground_of
from vision.lidar.wires import find_wires


@pytest.fixture(scope="module")
def found():
    line = survey_lines.line()
    ground = ground_of(line.points_m)
    high = np.flatnonzero(line.points_m[:, 2] - ground.height_m(line.points_m) > 4)
    return line, ground, find_wires(line.points_m, high)


def test_every_wire_of_both_spans_is_found_once(found):
    _, _, wires = found
    assert len(wires) == 6
    assert all(w.curve.constant_m == pytest.approx(survey_lines.CONSTANT_M, rel=0.05) for w in wires)


def test_nearly_all_wire_points_are_found_and_nearly_nothing_else(found):
    line, _, wires = found
    mine = np.zeros(len(line.points_m), bool)
    for wire in wires:
        mine[wire.points] = True
    is_wire = line.classes == survey_lines.WIRE
    assert mine[is_wire].mean() > 0.97
    assert is_wire[mine].mean() > 0.97


def test_wires_blown_sideways_are_wires_still():
    line = survey_lines.line(seed=3, sway_m=2.0)
    ground = ground_of(line.points_m)
    high = np.flatnonzero(line.points_m[:, 2] - ground.height_m(line.points_m) > 4)
    assert len(find_wires(line.points_m, high)) == 6


def test_trees_and_ground_alone_hold_no_wire():
    line = survey_lines.line()
    bare = line.points_m[~np.isin(line.classes, (survey_lines.WIRE, survey_lines.TOWER))]
    ground = ground_of(bare)
    assert find_wires(bare, np.flatnonzero(bare[:, 2] - ground.height_m(bare) > 4)) == ()


@pytest.mark.parametrize("classed", [True, False])
def test_the_tree_below_the_wire_is_told_with_its_metres_and_the_tower_is_not(found, classed):
    line, ground, wires = found
    classes = line.classes if classed else None
    near = near_wires(line.points_m, wires, ground, classes=classes)
    told = clearances(line.points_m, wires, near, classes=classes, voltage_kv=110)
    tree = min(told, key=lambda c: abs(c.point_m[0] + 100) + abs(c.point_m[1]))
    assert tree.clearance_m == pytest.approx(survey_lines.tree_gap_m(), abs=0.12)
    assert tree.upright_m == pytest.approx(survey_lines.tree_gap_m(), abs=0.12)
    assert tree.kind == ("tree" if classed else "other")
    assert tree.is_breach
    assert tree.confidence > 0.7
    assert not any(np.hypot(*c.point_m[:2]) < 3 and c.clearance_m < 4 for c in told)


def test_what_a_clearance_is_held_to_depends_on_thing_and_voltage(found):
    line, ground, wires = found
    near = near_wires(line.points_m, wires, ground, classes=line.classes)
    asked = {
        kv: {
            c.kind: c.required_m
            for c in clearances(line.points_m, wires, near, classes=line.classes, voltage_kv=kv)
        }
        for kv in (110, 500)
    }
    assert asked[110] == {"tree": 4.0, "machine": 4.57}
    assert asked[500] == {"tree": 7.0, "machine": 7.62}


def test_a_tower_reaches_as_high_as_its_wires_end(found):
    line, _, wires = found
    things = np.flatnonzero(np.isin(line.classes, (survey_lines.TOWER, survey_lines.TREE)))
    (tower,) = towers(line.points_m, wires, things)
    assert tower.top_m == pytest.approx(22, abs=0.5)
    assert set(line.classes[tower.points].tolist()) == {survey_lines.TOWER}
