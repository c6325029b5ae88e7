"""The water model in fewer steps still, so that its file is a fifth smaller: two minutes of a core.

    python -m vision.train.lighter MODEL FOLDER [--out vision/models/water.onnx.xz]

MODEL is the packed file that `export_water` and `rounded` led to, FOLDER holds the pictures that
`vision/models/flood_area_split.csv` names; only its training part is looked at. The convolutions that mix
channels are rounded anew, a few at a time from the first on: each is to answer as it did in the model of
before, on what it is now shown, and its constants make good what is left of the difference in the mean.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from vision import labelled
from vision.detectors import runtime
from vision.evaluate.masks import SPLIT
from vision.train import export
from vision.train.coarse import STEPS, Weights, compensated, step_of
from vision.train.flood import training_part
from vision.water_model import as_shown

FEWER, FEW_SPATIAL = 15, 63
"""Steps either way of zero: of weights that mix channels, and of those that look around in one."""

_SMALL = 1400  # convolutions of fewer weights keep `STEPS`
_AT_A_TIME = 6
_PICTURES, _CELLS = 40, 4000  # what is looked at, and in how many places of a layer
_DAMPING = 0.01
_CONSTANT = 1e-6


class Lighter:
    """A model on its way to fewer steps, and the model that it was."""

    def __init__(self, model: onnx.ModelProto, pictures: Sequence[npt.NDArray[np.float32]]) -> None:
        self.model = model
        self._before = onnx.ModelProto()
        self._before.CopyFrom(model)
        self._pictures = pictures
        self._values = {tensor.name: tensor for tensor in model.graph.initializer}
        self._parts = {
            node.output[0]: (node.input[0].removesuffix("_wide") + "_bytes", node.input[1])
            for node in model.graph.node
            if node.op_type == "Mul" and node.input[0].endswith("_wide")
        }
        self._random = np.random.default_rng(0)

    def lighten(self) -> None:
        """Round every convolution whose weights are kept as bytes."""
        every = [n for n in self.model.graph.node if n.op_type == "Conv" and n.input[1] in self._parts]
        for first in range(0, len(every), _AT_A_TIME):
            some = every[first : first + _AT_A_TIME]
            shown = self._shown([n.input[0] for n in some if _mixes(self._weights(n))])
            for node in some:
                weights = self._weights(node)
                if weights.shape[1] == 1:
                    flat = weights.reshape(len(weights), -1)
                    step = step_of(flat, np.ones(flat.shape[1]), steps=FEW_SPATIAL)
                    counts = np.clip(np.round(flat / step), -FEW_SPATIAL, FEW_SPATIAL)
                    self._keep(node, counts, step)
                elif _mixes(weights):
                    self._mixing(node, weights[:, :, 0, 0], *shown[node.input[0]])
        export.in_few_places(self.model.graph)

    def _mixing(self, node: onnx.NodeProto, weights: Weights, now: Weights, then: Weights) -> None:
        """Round a layer; now: inputs as they are by themselves, with ones; then: as they were by those."""
        steps = FEWER if weights.size >= _SMALL else STEPS
        count = now[-1, -1]
        constants = numpy_helper.to_array(self._values[node.input[2]]).astype(np.float64)
        was = np.hstack([weights, constants[:, None]])
        hold = np.diag(np.r_[np.full(len(now) - 1, _DAMPING * np.diag(now)[:-1].mean()), _CONSTANT * count])
        aim = np.linalg.solve((now + hold).T, (was @ (then + hold)).T).T
        mean = now[:-1, -1] / count
        about_mean = now[:-1, :-1] - count * np.outer(mean, mean)
        step = step_of(aim[:, :-1], np.maximum(np.diag(about_mean), 1e-9), steps=steps)
        counts = compensated(aim[:, :-1], about_mean, steps=steps, step=step, damping=_DAMPING)
        self._keep(node, counts, step)
        self._put(node.input[2], (aim[:, -1] + (aim[:, :-1] - counts * step) @ mean).astype(np.float32))

    def _shown(self, names: Sequence[str]) -> dict[str, tuple[Weights, Weights]]:
        """Return per input of a layer how it is, with ones, by itself, and how it was by how it is."""
        wanted = list(dict.fromkeys(names))
        if not wanted:
            return {}
        both = [_answering(model, wanted) for model in (self.model, self._before)]
        sums: dict[str, tuple[Weights, Weights]] = {}
        for picture in self._pictures:
            now, then = (session.run(wanted, {"picture": picture}) for session in both)
            for name, mine, theirs in zip(wanted, now, then, strict=True):
                is_, was = (_rows(values) for values in (mine, theirs))
                if is_.shape[1] > _CELLS:
                    some = self._random.choice(is_.shape[1], _CELLS, replace=False)
                    is_, was = is_[:, some], was[:, some]
                pair = is_ @ is_.T, was @ is_.T
                old = sums.get(name)
                sums[name] = (old[0] + pair[0], old[1] + pair[1]) if old else pair
        return sums

    def _weights(self, node: onnx.NodeProto) -> Weights:
        counts, step = (numpy_helper.to_array(self._values[name]) for name in self._parts[node.input[1]])
        return np.asarray(counts.astype(np.float64) * step)

    def _keep(self, node: onnx.NodeProto, counts: Weights, step: Weights) -> None:
        names = self._parts[node.input[1]]
        shape = tuple(self._values[names[0]].dims)
        self._put(names[0], counts.reshape(shape).astype(np.int8))
        self._put(names[1], step.reshape(-1, 1, 1, 1).astype(np.float32))

    def _put(self, name: str, values: npt.NDArray[np.generic]) -> None:
        self._values[name].CopyFrom(numpy_helper.from_array(values, name))


def _mixes(weights: Weights) -> bool:
    return weights.shape[1] > 1 and weights.shape[2:] == (1, 1)


def _rows(values: npt.NDArray[np.float32]) -> Weights:
    """Return what a layer is shown (1, in, h, w) as (in + 1, h × w), the last row ones."""
    rows = values[0].reshape(values.shape[1], -1).astype(np.float64)
    return np.vstack([rows, np.ones((1, rows.shape[1]))])


def _answering(model: onnx.ModelProto, names: Sequence[str]) -> onnxruntime.InferenceSession:
    probed = onnx.ModelProto()
    probed.CopyFrom(model)
    known = {output.name for output in probed.graph.output}
    probed.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names if name not in known
    )
    return runtime.onnx_session(probed.SerializeToString())


def _pictures(folder: Path, split: Path) -> Iterator[npt.NDArray[np.float32]]:
    names = training_part(split)
    for name in names[:: len(names) // _PICTURES][:_PICTURES]:
        yield as_shown(labelled.load_rgb(folder / "images" / name))


def main() -> None:
    """Make the model lighter, as the module's first lines say."""
    words = argparse.ArgumentParser(
        prog="python -m vision.train.lighter", description="A lighter water model."
    )
    words.add_argument("model", type=Path, help="packed model whose weights are bytes")
    words.add_argument("folder", type=Path, help="folder with images/ and masks/")
    words.add_argument("--out", type=Path, default=Path("vision/models/water.onnx.xz"))
    asked = words.parse_args()
    model = onnx.load_from_string(runtime.unpacked(asked.model, asked.model.read_bytes()))
    split = Path(__file__).parents[1] / "models" / SPLIT
    lighter = Lighter(model, list(_pictures(asked.folder, split)))
    lighter.lighten()
    onnx.checker.check_model(lighter.model)
    plain = asked.out.with_suffix(".part")
    onnx.save(lighter.model, str(plain))
    export.packed(plain, asked.out)
    plain.unlink()
    print(f"{asked.out}: {asked.out.stat().st_size} bytes", flush=True)


if __name__ == "__main__":
    main()
