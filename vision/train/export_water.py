"""From learnt weights to the ONNX file that is shipped: weights kept as bytes, reckoned in floats.

The file has two answers: the logits of water, and `cells`, what the encoder saw in each cell of 32 pixels, on
which the judgement of felled ground in a single picture rests (`vision/felled_cells.py`).
"""

from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as nnf
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from vision.train.water_net import WaterNet

LIGHTENED_FROM = 512
"""Tensors of so many numbers and more are kept as bytes."""

_OPSET = 17


class WithCells(nn.Module):  # type: ignore[misc]
    """The segmenter and, beside its logits, what its encoder saw at strides 8, 16 and 32, by cell."""

    def __init__(self, net: WaterNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the logits and the cells."""
        logits, seen = self.net.both(picture)
        cells = [nnf.avg_pool2d(seen[2], 4), nnf.avg_pool2d(seen[3], 2), seen[4]]
        return logits, torch.cat(cells, dim=1)


def export(weights: Path, out: Path) -> Path:
    """Write the ONNX file of learnt weights and return its path."""
    net = WaterNet()
    net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    net.eval()
    torch.onnx.export(
        WithCells(net),
        (torch.zeros(1, 3, 256, 320),),
        str(out),
        input_names=["picture"],
        output_names=["logits", "cells"],
        dynamic_axes={
            "picture": {2: "height", 3: "width"},
            "logits": {2: "h", 3: "w"},
            "cells": {2: "rows", 3: "columns"},
        },
        opset_version=_OPSET,
        dynamo=False,
    )
    onnx.save(lightened(onnx.load(str(out))), str(out))
    return out


def lightened(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model whose large weights are bytes with a scale a channel, widened again as they are read.

    The runtime folds the widening away when it loads the file: speed and arithmetic stay as they were.
    """
    graph = model.graph
    nodes, kept = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < LIGHTENED_FROM or values.ndim < 2:
            kept.append(tensor)
            continue
        axes = tuple(range(1, values.ndim))
        scale = np.maximum(np.abs(values).max(axis=axes, keepdims=True), 1e-12) / 127.0
        small = np.round(values / scale).astype(np.int8)
        names = [f"{tensor.name}_{part}" for part in ("bytes", "scale", "wide")]
        kept += [
            numpy_helper.from_array(small, names[0]),
            numpy_helper.from_array(scale.astype(np.float32), names[1]),
        ]
        nodes.append(helper.make_node("Cast", [names[0]], [names[2]], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [names[2], names[1]], [tensor.name]))
    del graph.initializer[:]
    graph.initializer.extend(kept)
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *rest])
    onnx.checker.check_model(model)
    return model
