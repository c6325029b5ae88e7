"""The graph without rounding that the tiles are measured beside: the same answers, all but the rounding."""

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra train")

from tests.vision.detecting import meadow
from vision.bench.unrounded import in_32_bits
from vision.detectors import runtime


def test_without_rounding_the_shipped_model_answers_nearly_the_same(tmp_path):
    path = in_32_bits(runtime.SHIPPED, tmp_path)
    full, shipped = runtime.load(path), runtime.load()
    assert full.card.piece == full.card.picture == shipped.card.picture
    assert b"QuantizeLinear" not in path.read_bytes().replace(b"DequantizeLinear", b"")
    canvas = np.ascontiguousarray(np.asarray(meadow())[:256, :256])
    ours, theirs = shipped.see(canvas), full.see(canvas)
    assert np.abs(ours.picture - theirs.picture).max() < 0.05
    assert not np.array_equal(ours.boxes, theirs.boxes)
    assert np.median(np.abs(ours.scores - theirs.scores)) < 0.005
