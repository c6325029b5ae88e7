"""The peer of `bench vision` for tiles: SAHI slices a picture, ultralytics runs our own graph on the slices.

    python -m vision.train.peer_tiles MODEL.onnx PICTURE...

It prints one JSON line per picture: processor seconds and the boxes found. It runs as a process of its own,
because ultralytics is AGPL-3.0 and stays in this package, and because it wants its settings in the
environment before it starts. torchvision's own operators are not in every build of it: non-maximum
suppression is handed over in plain torch.
"""

import contextlib
import importlib.machinery
import importlib.metadata
import json
import os
import sys
import tempfile
import time
import types
from pathlib import Path
from typing import Any

SIDE_PX, OVERLAP = 640, 0.2
CONFIDENCE = 0.25


def main(model: Path, pictures: list[Path]) -> None:
    """Run the peer over pictures and print what it took."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"YOLO_OFFLINE": "1", "YOLO_CONFIG_DIR": folder, "OMP_NUM_THREADS": "1"}
        with contextlib.redirect_stdout(sys.stderr):
            predict = _peer(_with_names(model, Path(folder)))
        for picture in pictures:
            began = time.process_time()
            with contextlib.redirect_stdout(sys.stderr):
                found = predict(str(picture))
            spent = time.process_time() - began
            boxes = [[*p.bbox.to_xyxy(), p.score.value, p.category.id] for p in found.object_prediction_list]
            print(
                json.dumps({"picture": picture.name, "cpu_s": spent, "boxes": boxes}, default=float),
                flush=True,
            )


def _peer(model: Path) -> Any:
    import torch

    torch.set_num_threads(1)
    stand_in_for_torchvision()
    from sahi import AutoDetectionModel
    from sahi.predict import get_sliced_prediction

    detector = AutoDetectionModel.from_pretrained(
        model_type="ultralytics",
        model_path=str(model),
        confidence_threshold=CONFIDENCE,
        device="cpu",
        image_size=SIDE_PX,
    )

    def predict(picture: str) -> Any:
        return get_sliced_prediction(
            picture,
            detector,
            slice_height=SIDE_PX,
            slice_width=SIDE_PX,
            overlap_height_ratio=OVERLAP,
            overlap_width_ratio=OVERLAP,
            perform_standard_pred=False,
            verbose=0,
        )

    return predict


def _with_names(model: Path, folder: Path) -> Path:
    """Return a copy of the model with what ultralytics wants to know of one in the file itself."""
    import onnx

    from vision.detectors.runtime import unpacked

    copy = onnx.load_model_from_string(unpacked(model, model.read_bytes()))
    told = {"stride": "64", "names": "{0: 'fire', 1: 'smoke'}", "task": "detect", "batch": "1"}
    told["imgsz"] = f"[{SIDE_PX}, {SIDE_PX}]"
    for key, value in told.items():
        copy.metadata_props.add(key=key, value=value)
    path = folder / "peer.onnx"
    onnx.save(copy, str(path))
    return path


def stand_in_for_torchvision() -> None:
    """Put a torchvision in place of one that cannot be imported, with non-maximum suppression alone."""
    package, operators = types.ModuleType("torchvision"), types.ModuleType("torchvision.ops")
    for module in (package, operators):
        module.__spec__ = importlib.machinery.ModuleSpec(module.__name__, None)
        sys.modules[module.__name__] = module
    package.__dict__.update(__version__=importlib.metadata.version("torchvision"), ops=operators)

    def nms(boxes: Any, scores: Any, overlap: float) -> Any:
        from ultralytics.utils.nms import TorchNMS

        return TorchNMS.nms(boxes, scores, overlap)

    operators.__dict__["nms"] = nms


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
