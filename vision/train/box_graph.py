"""The shipped graph as its boxes see it: where its features are tapped, and how a new head is put on.

All up to the taps and to the picture's answer stays as it is, bit for bit. The file is made smaller without a
change of any answer: no name is longer than it must be, and xz is told that the bytes are weights, not text.
"""

import lzma
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx.numpy_helper
import torch
from torch import Tensor, nn

from vision.detectors import runtime
from vision.train import export
from vision.train.box_head import BOX_STRIDES, TAPPED, BoxHead
from vision.train.box_views import Features, Trunk
from vision.train.coarse import STEPS

TAPS = {
    "fine4": "/net/fine/fine.3/Add_output_0",
    "fine8": "/net/fine/fine.5/Add_output_0",
    "fine16": "/net/fine/fine.11/Add_output_0",
    "context32": "/net/context/context.2/Add_output_0",
    "smooth16": "/net/smooth.0/smooth.0.3/conv/Conv_output_0",
    "smooth32": "/net/smooth.1/smooth.1.3/conv/Conv_output_0",
    "smooth64": "/net/smooth.2/smooth.2.3/conv/Conv_output_0",
}
"""The features that boxes are made from, by their tensors in a file of `export`; the number is the stride.
They are read as the 8-bit counts that the graph itself goes on with."""

IMAGES, BOXES, PICTURE = "images", "boxes", "picture"
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 0, "lp": 0, "pb": 0}]


def read(path: Path) -> onnx.ModelProto:
    """Return a model's graph from its file, packed or not."""
    data = path.read_bytes()
    return onnx.load_model_from_string(lzma.decompress(data) if path.suffix == ".xz" else data)


def packed(model: onnx.ModelProto, path: Path) -> None:
    """Write a model's file, packed; weights have no lines and no words for the packer to look for."""
    path.write_bytes(lzma.compress(model.SerializeToString(), lzma.FORMAT_XZ, filters=_FILTERS))


def steps(model: onnx.ModelProto) -> dict[str, tuple[float, int]]:
    """Return what one count of each tap is worth, and which count is nought."""
    known = {value.name: onnx.numpy_helper.to_array(value) for value in model.graph.initializer}
    nodes = quantisers(model)
    return {tap: (float(known[nodes[tap].input[1]]), int(known[nodes[tap].input[2]])) for tap in TAPS}


def trunk(model: onnx.ModelProto) -> Trunk:
    """Return what runs a graph up to its taps; the counts come as the graph computes them."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    counts = {tap: node.output[0] for tap, node in quantisers(copy).items()}
    del copy.graph.output[:]
    for name in counts.values():
        copy.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.UINT8, None))
    session = runtime.onnx_session(copy.SerializeToString())

    def run(pixels: npt.NDArray[np.uint8]) -> Features:
        parts = session.run(list(counts.values()), {IMAGES: runtime.channels_first(pixels)})
        return dict(zip(counts, (part[0] for part in parts), strict=True))

    return run


def with_head(model: onnx.ModelProto, head: BoxHead) -> onnx.ModelProto:
    """Return a graph whose boxes are a head's, its weights in 8 bits; what spoke of boxes before is gone."""
    result, part = onnx.ModelProto(), _exported(head)
    result.CopyFrom(model)
    graph = result.graph
    numbers = numbers_of(result)
    mine = {output for node in part.node for output in node.output} | {w.name for w in part.initializer}
    mine -= {BOXES}
    named = {name: f"head/{name}" for name in mine} | numbers
    for node in graph.node:
        node.output[:] = ["old/boxes" if name == BOXES else name for name in node.output]
    for node in part.node:
        node.input[:] = [named.get(name, name) for name in node.input]
        node.output[:] = [named.get(name, name) for name in node.output]
    for weights in part.initializer:
        weights.name = named[weights.name]
    graph.node.extend(part.node)
    graph.initializer.extend(part.initializer)
    export.drop_unused(graph)
    counted(graph)
    _biases_counted(graph)
    in_order(graph)
    shortened(result)
    onnx.checker.check_model(result)
    return result


def _exported(head: BoxHead) -> onnx.GraphProto:
    """Return a head as a graph from its taps to the table of boxes."""
    examples = tuple(
        torch.zeros((1, channels, 512 // stride, 512 // stride)) for channels, stride in TAPPED.values()
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "head.onnx"
        torch.onnx.export(
            _Tabled(head).eval(),
            examples,
            str(path),
            input_names=list(TAPS),
            output_names=[BOXES],
            dynamic_axes={name: {0: "n", 2: f"rows{name}", 3: f"columns{name}"} for name in TAPS}
            | {BOXES: {0: "n", 2: "cells"}},
            opset_version=export.OPSET,
            dynamo=False,
        )
        export.without_pads(path)
        graph = onnx.load(str(path)).graph
    export.in_8_bits(graph)
    return graph


class _Tabled(nn.Module):  # type: ignore[misc,unused-ignore]
    def __init__(self, head: BoxHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, *taps: Tensor) -> Tensor:
        scores, ends = self.head(dict(zip(TAPS, taps, strict=True)))
        return export.table(scores, ends, BOX_STRIDES)


def counted(graph: onnx.GraphProto) -> None:
    """Keep tables of weights that are whole numbers of a step in each row as these, where that is exact."""
    tables = [w for w in graph.initializer if len(w.dims) == 2 and w.dims[1] > 1]
    for weights in [w for w in tables if w.data_type == onnx.TensorProto.FLOAT]:
        values = onnx.numpy_helper.to_array(weights)
        rows = [_counts(row) for row in values]
        if not rows or any(row is None for row in rows):
            continue
        counts, step = (np.stack(part) for part in zip(*(row for row in rows if row), strict=True))
        graph.initializer.remove(weights)
        _append_product(graph, weights.name, counts, step[:, None])


def _append_product(
    graph: onnx.GraphProto, name: str, counts: npt.NDArray[Any], step: npt.NDArray[np.float32] | str
) -> None:
    """Let a tensor be counts times a step: engines work that out once, when they load the file."""
    graph.initializer.append(onnx.numpy_helper.from_array(counts, f"{name}/counts"))
    if not isinstance(step, str):
        graph.initializer.append(onnx.numpy_helper.from_array(step, f"{name}/step"))
        step = f"{name}/step"
    as_float = [f"{name}/float"]
    graph.node.append(onnx.helper.make_node("Cast", [f"{name}/counts"], as_float, to=onnx.TensorProto.FLOAT))
    graph.node.append(onnx.helper.make_node("Mul", [*as_float, step], [name]))


def _counts(row: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int8], np.float32] | None:
    """Return a row as counts and the step that gives it back to the last bit, if there is one."""
    largest = np.abs(row).max()
    for most in range(STEPS, 0, -1):
        near = np.float32(largest / most)
        for step in (near, np.nextafter(near, np.float32(0)), np.nextafter(near, np.float32(np.inf))):
            counts = np.round(row / step) if step > 0 else row
            if np.array_equal(counts.astype(np.float32) * step, row) and np.abs(counts).max() <= STEPS:
                return counts.astype(np.int8), step
    return None


def _biases_counted(graph: onnx.GraphProto) -> None:
    """Keep what 8-bit convolutions add as whole numbers of what one step of their sums is worth.

    Engines round it to these themselves before they add it to a sum of counts.
    """
    known = {value.name: value for value in graph.initializer}
    turned = {node.output[0]: node for node in graph.node if node.op_type == "DequantizeLinear"}
    counted = {node.input[0] for node in graph.node if node.op_type == "QuantizeLinear"}
    for i, conv in enumerate([node for node in graph.node if node.op_type == "Conv"]):
        if (
            conv.output[0] not in counted
            or conv.input[2] not in known
            or not {*conv.input[:2]} <= turned.keys()
        ):
            continue
        scales = [turned[name].input[1] for name in conv.input[:2]]
        if turned[conv.input[0]].input[0] in known or known[scales[1]].dims != known[conv.input[2]].dims:
            continue
        sums = np.multiply(*(onnx.numpy_helper.to_array(known[name]) for name in scales), dtype=np.float32)
        bias = onnx.numpy_helper.to_array(known[conv.input[2]])
        whole, conv.input[2] = np.round(bias / sums).astype(np.int32), f"sum{i}"
        graph.node.append(onnx.helper.make_node("Mul", scales, [f"sum{i}/of"]))
        _append_product(graph, f"sum{i}", whole, f"sum{i}/of")
    export.drop_unused(graph)


def in_order(graph: onnx.GraphProto) -> None:
    """Put what reads a tensor behind what makes it."""
    made = {w.name for w in graph.initializer} | {value.name for value in graph.input} | {""}
    waiting, ordered = list(graph.node), []
    while waiting:
        ready = [node for node in waiting if set(node.input) <= made]
        made |= {name for node in ready for name in node.output}
        ordered += ready
        waiting = [node for node in waiting if not set(node.input) <= made or node not in ready]
    del graph.node[:]
    graph.node.extend(ordered)


def shortened(model: onnx.ModelProto) -> None:
    """Give every tensor but taps, inputs and outputs a short name, and drop what only people read."""
    graph = model.graph
    kept = {*TAPS.values(), ""} | {value.name for value in (*graph.input, *graph.output)}
    short: dict[str, str] = {}

    def of(name: str) -> str:
        return name if name in kept else short.setdefault(name, f"t{len(short)}")

    del graph.value_info[:]
    for node in graph.node:
        node.ClearField("name")
        node.ClearField("doc_string")
        node.input[:] = [of(name) for name in node.input]
        node.output[:] = [of(name) for name in node.output]
    for weights in graph.initializer:
        weights.name = of(weights.name)
    own = [opset for opset in model.opset_import if not opset.domain]
    del model.opset_import[:]
    model.opset_import.extend(own)


def numbers_of(model: onnx.ModelProto) -> dict[str, str]:
    """Return by tap the tensor that holds its counts turned back into numbers."""
    taps = {node.output[0]: tap for tap, node in quantisers(model).items()}
    turned = [node for node in model.graph.node if node.op_type == "DequantizeLinear"]
    return {taps[node.input[0]]: node.output[0] for node in turned if node.input[0] in taps}


def quantisers(model: onnx.ModelProto) -> dict[str, onnx.NodeProto]:
    """Return the node that counts each tap."""
    nodes = {node.input[0]: node for node in model.graph.node if node.op_type == "QuantizeLinear"}
    return {tap: nodes[tensor] for tap, tensor in TAPS.items()}
