"""Which cells answer for a box, and what a worse answer costs."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from vision.train import box_losses  # noqa: E402
from vision.train.box_head import Said  # noqa: E402

TRUTH = torch.tensor([[0.0, 10, 10, 50, 40]])


def grid():
    """Return the middles of 8 × 8 cells of 8 pixels."""
    rows, columns = torch.meshgrid(torch.arange(8) + 0.5, torch.arange(8) + 0.5, indexing="ij")
    return torch.stack([columns, rows], -1).reshape(-1, 2) * 8


def said(boxes, scores):
    middles = grid()
    return Said(scores[None], boxes[None], middles, torch.full((len(middles),), 8.0))


def answering(off_px):
    """Return boxes that all miss the truth by so much, unsure of everything."""
    return (TRUTH[0, 1:] + off_px).expand(64, 4), torch.full((64, 2), -2.0)


def test_only_cells_inside_answer_and_the_best_one_should_say_its_overlap():
    boxes, scores = answering(0.0)
    boxes = boxes.clone()
    boxes[18] += 2.0
    cells, of, worth = box_losses.assigned(scores, boxes, grid(), TRUTH)
    x, y = grid()[cells].T
    assert ((x > 10) & (x < 50) & (y > 10) & (y < 40)).all()
    assert (of == 0).all()
    assert worth.max().item() == pytest.approx(1.0)
    worst = worth[cells == 18]
    assert not len(worst) or worst.item() < 0.7


def test_a_box_too_small_for_any_cells_middle_has_the_nearest():
    truth = torch.tensor([[1.0, 33, 33, 35, 35]])
    boxes, scores = answering(0.0)
    cells, _, _ = box_losses.assigned(scores, boxes, grid(), truth)
    assert cells.tolist() == [4 * 8 + 4]


def test_a_cell_in_two_boxes_answers_for_the_one_it_overlaps_most():
    truth = torch.tensor([[0.0, 0, 0, 60, 60], [0.0, 16, 16, 40, 40]])
    boxes = torch.tensor([[16.0, 16, 40, 40]]).expand(64, 4)
    cells, of, _ = box_losses.assigned(torch.zeros(64, 2), boxes, grid(), truth)
    inner = [cell for cell, row in zip(cells.tolist(), of.tolist(), strict=True) if row == 1]
    assert inner
    assert not {*inner} & {cell for cell, row in zip(cells.tolist(), of.tolist(), strict=True) if row == 0}


def test_a_worse_box_costs_more_and_what_is_not_known_is_not_asked():
    labels = torch.tensor([[1, 0]])
    near, far = (box_losses.loss(said(*answering(off)), [TRUTH], labels) for off in (1.0, 6.0))
    assert near < far
    boxes, scores = answering(1.0)
    loud = scores.clone()
    loud[:, 1] = 3.0
    unknown = torch.tensor([[1, -1]])
    quiet = box_losses.loss(said(boxes, scores), [TRUTH], unknown)
    assert box_losses.loss(said(boxes, loud), [TRUTH], unknown) == pytest.approx(quiet.item())
    assert box_losses.loss(said(boxes, loud), [TRUTH], labels) > quiet


def test_the_complete_overlap_of_the_same_box_is_one_and_falls_with_distance():
    one = TRUTH[:, 1:]
    assert box_losses.complete_overlap(one, one).item() == pytest.approx(1.0)
    apart = [box_losses.complete_overlap(one + shift, one).item() for shift in (5.0, 100.0, 200.0)]
    assert apart == sorted(apart, reverse=True)
