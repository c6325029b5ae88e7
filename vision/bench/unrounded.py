"""The model that ships with its activations in 32 bits: what rounding them to 8 costs is measured beside it.

Its weights stay as they ship. Between what rounds an activation to a count and what turns counts back into
numbers nothing happens in such a graph, so both are left out.
"""

import hashlib
import json
from pathlib import Path

import onnx

from vision.detectors import runtime


def in_32_bits(model: Path, folder: Path) -> Path:
    """Return the file of a model without rounding, its card beside it, written into a folder.

    Its pieces count from the thresholds for pictures: the rounded model's are chosen to let as many pass.

    Raises:
        InputWrong: the file cannot be unpacked.
    """
    graph = onnx.load_from_string(runtime.unpacked(model, model.read_bytes()))
    without_rounding(graph.graph)
    onnx.checker.check_model(graph)
    path = folder / "in_32_bits.onnx"
    onnx.save(graph, str(path))
    card = json.loads(runtime.card_beside(model).read_text("utf-8"))
    card |= {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "piece": card["picture"]}
    runtime.card_beside(path).write_text(json.dumps(card), "utf-8")
    return path


def without_rounding(graph: onnx.GraphProto) -> None:
    """Let whoever reads an activation that was rounded to counts and turned back read it as it was."""
    counted = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "QuantizeLinear"}
    turned = [n for n in graph.node if n.op_type == "DequantizeLinear" and n.input[0] in counted]
    whole = {node.output[0]: counted[node.input[0]] for node in turned}
    for node in turned:
        graph.node.remove(node)
    for node in [n for n in graph.node if n.op_type == "QuantizeLinear"]:
        graph.node.remove(node)
    for node in graph.node:
        node.input[:] = [whole.get(name, name) for name in node.input]
