"""What every cell should have said."""

import numpy as np

from vision.train.targets import STRIDES, targets

SMALL = np.array([[0, 100, 100, 140, 130]], np.float32)
LARGE = np.array([[1, 0, 0, 400, 300]], np.float32)


def of(boxes, labels):
    return targets(boxes, labels, width=512, height=384)


def test_a_small_box_is_the_fine_cells_business():
    fine, middle, coarse = of(SMALL, (1, 0))
    assert (fine.cells[0] == 1).sum() > 0
    assert not (middle.cells[0] == 1).any()
    assert not (coarse.cells[0] == 1).any()


def test_the_ends_lead_from_the_cell_to_the_box():
    fine = of(SMALL, (1, 0))[0]
    row, column = np.argwhere(fine.cells[0] == 1)[0]
    left, top, right, bottom = fine.ends[:, row, column] * STRIDES[0]
    x, y = (column + 0.5) * STRIDES[0], (row + 0.5) * STRIDES[0]
    assert [x - left, y - top, x + right, y + bottom] == [100, 100, 140, 130]


def test_cells_inside_a_box_that_are_not_asked_are_not_called_wrong():
    coarse = of(LARGE, (0, 1))[2]
    inside = coarse.cells[1][:4, :6]
    assert set(np.unique(inside)) <= {1, -1}
    assert (coarse.cells[0] == 0).all()


def test_a_class_that_is_not_known_is_not_asked_anywhere():
    assert all((t.cells[1] == -1).all() for t in of(SMALL, (1, -1)))


def test_a_class_present_without_boxes_is_not_asked_and_one_absent_is():
    for target in of(None, (1, 0)):
        assert (target.cells[0] == -1).all()
        assert (target.cells[1] == 0).all()


def test_a_box_smaller_than_a_cell_still_has_a_cell():
    fine = of(np.array([[0, 33, 33, 38, 38]], np.float32), (1, 0))[0]
    assert fine.cells[0][2, 2] == 1


def test_a_class_present_without_a_box_of_its_own_is_not_asked_and_the_other_is():
    fine = of(SMALL, (1, 1))[0]
    assert (fine.cells[1] == -1).all()
    assert (fine.cells[0] == 1).any()
    assert (fine.cells[0] == 0).any()
