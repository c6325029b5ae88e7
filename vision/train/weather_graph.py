"""The shipped graph as weather is told from it: what its features look like as a whole, and the doubt put on.

All that the graph answered before it goes on answering. The doubt is a third answer, `doubt` (1, classes):
what is to be taken off the log odds of a whole picture (`vision.detectors.runtime`).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import onnx
import onnx.numpy_helper
import torch
from onnx import helper
from torch import Tensor, nn

from vision.detectors import runtime
from vision.train import export
from vision.train.box_graph import IMAGES, PICTURE, counted, in_order, numbers_of, shortened
from vision.train.box_head import TAPPED
from vision.train.coarse import rounded, short
from vision.train.targets import CLASSES

LOOKED_AT = ("fine16", "context32", "smooth16", "smooth32", "smooth64")
CHANNELS = 2 * sum(TAPPED[tap][0] for tap in LOOKED_AT)
"""Each channel's mean over the picture and its spread there."""

LOOKS, DOUBT = "looks", "doubt"
MOST = (2.0, 3.0)
"""The most that doubt takes off the log odds of fire and of smoke: what is told surely stays told."""

_HIDDEN = 16

Floats = npt.NDArray[np.float32]


class WeatherHead(nn.Module):  # type: ignore[misc,unused-ignore]
    """From how a picture looks as a whole (n, `CHANNELS`) to the doubt (n, classes), 0 to `MOST`."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(CHANNELS))
        self.register_buffer("spread", torch.ones(CHANNELS))
        self.register_buffer("most", torch.tensor(MOST))
        self.hide, self.drop = nn.Dropout(0.1), nn.Dropout(0.3)
        self.first, self.second = nn.Linear(CHANNELS, _HIDDEN), nn.Linear(_HIDDEN, len(CLASSES))
        nn.init.zeros_(self.second.weight)
        nn.init.constant_(self.second.bias, -2.0)

    def forward(self, looks: Tensor) -> Tensor:
        hidden = self.first(self.hide((looks - self.mean) / self.spread)).clamp(0.0, 6.0)
        result: Tensor = self.most * torch.sigmoid(self.second(self.drop(hidden)))
        return result


def looking(model: onnx.ModelProto) -> Callable[[runtime.Rgb], tuple[Floats, Floats]]:
    """Return what tells of one canvas how it looks as a whole, and how likely each class is in it."""
    probed = _with_looks(model)
    del probed.graph.output[:]
    for name in (LOOKS, PICTURE):
        probed.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = runtime.onnx_session(probed.SerializeToString())

    def look(pixels: runtime.Rgb) -> tuple[Floats, Floats]:
        looks, picture = session.run([LOOKS, PICTURE], {IMAGES: runtime.channels_first(pixels)})
        return looks[0], picture[0]

    return look


def with_weather(model: onnx.ModelProto, head: WeatherHead) -> onnx.ModelProto:
    """Return a graph whose doubt is a head's, its weights in 63 steps; a doubt from before is gone."""
    result = _with_looks(model)
    graph = result.graph
    graph.node.extend(_nodes(graph, head))
    graph.output.append(helper.make_tensor_value_info(DOUBT, onnx.TensorProto.FLOAT, [1, len(CLASSES)]))
    counted(graph)
    in_order(graph)
    shortened(result)
    onnx.checker.check_model(result)
    return result


def _with_looks(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of a graph that also works out how the picture looks as a whole."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    for old in [output for output in graph.output if output.name == DOUBT]:
        graph.output.remove(old)
    export.drop_unused(graph)
    numbers, parts = numbers_of(result), []
    nothing = f"{LOOKS}/nothing"
    graph.initializer.append(onnx.numpy_helper.from_array(np.float32(0), nothing))
    for tap in LOOKED_AT:
        mean, squares, own, varied, spread = (
            f"{LOOKS}/{tap}/{part}" for part in ("mean", "squares", "own", "varied", "spread")
        )
        graph.node.extend(
            [
                helper.make_node("ReduceMean", [numbers[tap]], [mean], axes=[2, 3], keepdims=0),
                helper.make_node("Mul", [numbers[tap], numbers[tap]], [f"{squares}/all"]),
                helper.make_node("ReduceMean", [f"{squares}/all"], [squares], axes=[2, 3], keepdims=0),
                helper.make_node("Mul", [mean, mean], [own]),
                helper.make_node("Sub", [squares, own], [varied]),
                helper.make_node("Max", [varied, nothing], [f"{varied}/real"]),
                helper.make_node("Sqrt", [f"{varied}/real"], [spread]),
            ]
        )
        parts += [mean, spread]
    graph.node.append(helper.make_node("Concat", parts, [LOOKS], axis=1))
    return result


def _nodes(graph: onnx.GraphProto, head: WeatherHead) -> list[onnx.NodeProto]:
    """Return the head's nodes from `LOOKS` to `DOUBT`, its numbers put into the graph."""
    state = {name: value.detach().double().numpy() for name, value in head.state_dict().items()}
    scale = short(1 / state["spread"])
    first, second = (rounded(state[f"{n}.weight"].astype(np.float32)) for n in ("first", "second"))
    values = {
        "scale": scale,
        "first": first,
        "first/bias": short(state["first.bias"] - first @ (state["mean"] * scale)),
        "lowest": np.float32(0),
        "highest": np.float32(6),
        "second": second,
        "second/bias": short(state["second.bias"]),
        "most": state["most"],
    }
    name = {key: f"{DOUBT}/{key}" for key in values}
    for key, value in values.items():
        graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(value, np.float32), name[key]))
    scaled, hidden, kept, said, share = (
        f"{DOUBT}/{part}" for part in ("scaled", "hidden", "kept", "said", "share")
    )
    return [
        helper.make_node("Mul", [LOOKS, name["scale"]], [scaled]),
        helper.make_node("Gemm", [scaled, name["first"], name["first/bias"]], [hidden], transB=1),
        helper.make_node("Clip", [hidden, name["lowest"], name["highest"]], [kept]),
        helper.make_node("Gemm", [kept, name["second"], name["second/bias"]], [said], transB=1),
        helper.make_node("Sigmoid", [said], [share]),
        helper.make_node("Mul", [share, name["most"]], [DOUBT]),
    ]
