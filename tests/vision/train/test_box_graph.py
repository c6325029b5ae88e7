"""A new head on the shipped graph: all else stays, and the file answers what was learnt."""

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("onnx", reason="needs the extra train")

from tests.vision.detecting import meadow  # noqa: E402
from vision.detectors import runtime  # noqa: E402
from vision.train import box_graph, box_head  # noqa: E402
from vision.train.box_head import TAPPED  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Constant folding:UserWarning")

CANVAS = (256, 192)


@pytest.fixture(scope="module")
def shipped():
    return box_graph.read(runtime.SHIPPED)


@pytest.fixture(scope="module")
def head():
    torch.manual_seed(3)
    head = box_head.BoxHead().eval()
    for part in (*head.score, *head.ends):
        torch.nn.init.normal_(part.weight, std=0.1)
    return head


def run(model):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    planes = np.float32(meadow(*CANVAS).transpose(2, 0, 1)[None] / 255)
    return session.run(["boxes", "picture"], {"images": planes})


def said(head, model):
    """Return what the head says in training's own terms: boxes and scores per cell."""
    worth = box_graph.steps(model)
    counts = box_graph.trunk(model)(meadow(*CANVAS))
    taps = {
        tap: (torch.from_numpy(c)[None].float() - worth[tap][1]) * worth[tap][0] for tap, c in counts.items()
    }
    with torch.no_grad():
        told = head.say(taps)
    return told.boxes[0].numpy(), torch.sigmoid(told.scores[0]).numpy()


def test_the_taps_are_as_the_head_reads_them(shipped):
    shapes = {tap: counts.shape for tap, counts in box_graph.trunk(shipped)(meadow(*CANVAS)).items()}
    wide, high = CANVAS
    assert shapes == {tap: (c, high // s, wide // s) for tap, (c, s) in box_head.TAPPED.items()}


def test_the_pictures_answer_stays_to_the_last_bit_and_the_boxes_are_the_heads(shipped, head):
    new = box_graph.with_head(shipped, head)
    table, picture = run(new)
    assert np.array_equal(picture, run(shipped)[1])
    boxes, scores = said(head, shipped)
    assert table.shape == (1, 6, len(boxes))
    middle, half = table[0, :2].T, table[0, 2:4].T / 2
    assert np.abs(np.concatenate([middle - half, middle + half], 1) - boxes).max() < 2.0
    assert np.abs(table[0, 4:].T - scores).max() < 0.05


def test_a_head_can_be_exchanged_again(shipped, head):
    once = box_graph.with_head(shipped, head)
    twice = box_graph.with_head(once, head)
    assert np.allclose(run(once)[0], run(twice)[0], atol=1e-3)
    assert np.array_equal(run(twice)[1], run(shipped)[1])
    assert abs(len(twice.graph.node) - len(once.graph.node)) < len(TAPPED)


def test_bent_scores_keep_their_order_and_boxes_their_place(shipped, head):
    before = said(head, shipped)
    bent = box_head.BoxHead().eval()
    bent.load_state_dict(head.state_dict())
    bent.bend([0.5, 2.0], [1.0, -1.0])
    after = said(bent, shipped)
    assert np.array_equal(before[0], after[0])
    odds = [np.log(s / (1 - s)) for s in (before[1], after[1])]
    assert np.allclose(odds[1], odds[0] * [0.5, 2.0] + [1.0, -1.0], atol=1e-3)


def test_a_packed_file_is_read_back(shipped, tmp_path):
    path = tmp_path / "model.onnx.xz"
    box_graph.packed(shipped, path)
    assert box_graph.read(path) == shipped
    assert runtime.unpacked(path, path.read_bytes()) == shipped.SerializeToString()
