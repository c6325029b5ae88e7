"""From learnt weights to the ONNX file that is shipped: weights kept as half floats, reckoned in whole ones.

The file has two answers: the logits of water, and `marks`, the means of the encoder's two deepest maps, on
which the single-picture judgement of felling rests (`vision/felling_model.py`).
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from vision.train.water_net import WaterNet

HALVED_FROM = 64
"""Tensors of so many numbers and more are kept as half floats."""

_OPSET = 17


class WithMarks(nn.Module):  # type: ignore[misc]
    """The segmenter and, beside its logits, the means of what its encoder saw."""

    def __init__(self, net: WaterNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the logits and the marks."""
        logits, seen = self.net.both(picture)
        marks = [part.mean(dim=(2, 3)) for part in seen[3:]]
        return logits, torch.cat(marks, dim=1)


def export(weights: Path, out: Path) -> Path:
    """Write the ONNX file of learnt weights and return its path."""
    net = WaterNet()
    net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    net.eval()
    torch.onnx.export(
        WithMarks(net),
        (torch.zeros(1, 3, 256, 320),),
        str(out),
        input_names=["picture"],
        output_names=["logits", "marks"],
        dynamic_axes={"picture": {2: "height", 3: "width"}, "logits": {2: "h", 3: "w"}},
        opset_version=_OPSET,
        dynamo=False,
    )
    onnx.save(halved(onnx.load(str(out))), str(out))
    return out


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model whose large weights are half floats, widened again as they are read."""
    graph = model.graph
    casts, kept = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < HALVED_FROM:
            kept.append(tensor)
            continue
        small = numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}_half")
        kept.append(small)
        casts.append(helper.make_node("Cast", [small.name], [tensor.name], to=TensorProto.FLOAT))
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
    onnx.checker.check_model(model)
    return model
