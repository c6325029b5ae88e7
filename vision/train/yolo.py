"""The other way to train: a YOLO of ultralytics' own, begun from a state dict of COCO weights.

Our own network is what ships and what is trained unless `--with ultralytics` is asked for. ultralytics is
AGPL-3.0: it is imported here when a training or an export runs, never before, and the card of what it made
names that licence. It is kept offline: no downloads, no reports home, no plots.
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from missions.errors import InputWrong, WorkFailed
from vision import labelled
from vision.detectors import runtime
from vision.labelled import LabelledPicture
from vision.train import ULTRALYTICS_COURSE as COURSE
from vision.train import cards

CLASSES = ("fire", "smoke")
LAST = Path("ultralytics", "weights", "last.pt")
_DATASET = "dataset"
_SIZES = "nsmlx"
_COUNTS = 0.25  # the score from which a class counts that no picture kept aside shows
_BOX_SCORE = 0.25
_OPSET = 17


@dataclass(frozen=True, slots=True)
class Course:
    """What is learnt from, and how long: `start` is a state dict, `side_px` the longer side of a picture."""

    folders: tuple[Path, ...]
    out: Path
    start: Path
    held_out: tuple[str, ...] = ()
    labels: Path | None = None
    rounds: int = 30
    batch: int = 32
    side_px: int = 640
    threads: int = 1
    seed: int = 1


def train(course: Course, *, resume: bool, told: Callable[[str], None]) -> Path:
    """Return the checkpoint of a training; with `resume` it goes on from the last one, if there is one.

    Raises:
        InputWrong: no picture is left to learn from or to score on, or the state dict fits no size.
    """
    last = course.out / LAST
    goes_on = resume and last.is_file()
    _offline(course.out)
    learnt, aside = pictures_of(course)
    told(f"{len(learnt)} pictures to learn from, {len(aside)} kept aside")
    data = written(course.out / _DATASET, learnt, aside)
    record = asdict(course) | {"out": "."}
    (course.out / COURSE).write_text(json.dumps(record, default=str, indent=1) + "\n", "utf-8")
    size, fits, asked = _begun(course.start)
    told(f"{course.start.name}: {len(fits)} of {asked} tensors fit {size}, loaded by name")
    if goes_on and (done := _rounds_done(last)) >= course.rounds:
        told(f"{done} rounds are done, {course.rounds} were asked for")
        return last
    if not goes_on:
        shutil.rmtree(last.parents[1], ignore_errors=True)
    _trainer(course, data, size, fits, last if goes_on else None).train()
    return last


def pictures_of(course: Course) -> tuple[list[LabelledPicture], list[LabelledPicture]]:
    """Return a course's pictures that can teach boxes: those to learn from and those kept aside.

    Raises:
        InputWrong: a folder or the table of labels cannot be read, or one side is empty.
    """
    every = [picture for folder in course.folders for picture in labelled.read(folder)]
    if course.labels:
        every = labelled.told(every, course.labels)
    learnt, aside = (list(filter(teaches_boxes, some)) for some in labelled.split(every, course.held_out))
    if not learnt or not aside:
        raise InputWrong(
            f"{len(learnt)} pictures with known labels and boxes to learn from and {len(aside)} kept aside: "
            "expected some of both; name a source or camera to keep aside with --held-out"
        )
    return learnt, aside


def teaches_boxes(picture: LabelledPicture) -> bool:
    """Return whether a picture's labels are known and each class in it has its boxes."""
    if -1 in picture.labels:
        return False
    marked = set() if picture.boxes is None else {int(kind) for kind in picture.boxes[:, 0]}
    return all(kind in marked for kind, there in enumerate(picture.labels) if there)


def written(folder: Path, learnt: Sequence[LabelledPicture], aside: Sequence[LabelledPicture]) -> Path:
    """Return the YAML of a dataset as YOLO reads it: copies, and an empty file where nothing burns."""
    shutil.rmtree(folder, ignore_errors=True)
    for part, pictures in (("train", learnt), ("val", aside)):
        images, labels = folder / "images" / part, folder / "labels" / part
        images.mkdir(parents=True)
        labels.mkdir(parents=True)
        for i, picture in enumerate(pictures):
            shutil.copyfile(picture.path, images / f"{i:06d}{picture.path.suffix.lower()}")
            (labels / f"{i:06d}.txt").write_text(_rows(picture), "utf-8")
    said = {"path": str(folder.resolve()), "train": "images/train", "val": "images/val"}
    path = folder / "data.yaml"
    path.write_text(json.dumps(said | {"names": list(CLASSES)}) + "\n", "utf-8")  # JSON is YAML
    return path


def course_of(folder: Path) -> Course:
    """Return the course that a training folder is of.

    Raises:
        InputWrong: its record cannot be read.
    """
    try:
        value = json.loads((folder / COURSE).read_text("utf-8"))
        value |= {"folders": tuple(Path(f) for f in value["folders"]), "out": folder}
        value |= {"start": Path(value["start"]), "held_out": tuple(value["held_out"])}
        return Course(**value | {"labels": Path(value["labels"]) if value["labels"] else None})
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputWrong(f"{folder / COURSE}: no record of a training: {error!r}") from None


def ship(run: Path, out: Path, *, name: str, version: str, told: Callable[[str], None]) -> Path:
    """Return the ONNX file of a training, written with its card and its rows of TRAINING.csv.

    The thresholds are chosen on pictures kept aside, but not on sources that were held out whole.
    """
    from vision.train import shipping, thresholds

    course = course_of(run)
    if not (run / LAST).is_file():
        raise InputWrong(f"{run}: no checkpoint {LAST}: nothing was trained to its first round's end")
    learnt, aside = pictures_of(course)
    path = out / f"{name}.onnx"
    shutil.move(_exported(run, course.side_px), path)
    even = dict.fromkeys(CLASSES, _COUNTS)
    write_card(path, name=name, version=version, side_px=course.side_px, picture=even)
    tuned = [p for p in aside if p.source not in course.held_out]
    told(f"choosing thresholds on {len(tuned)} pictures kept aside")
    shown = {kind for p in tuned for kind, there in zip(CLASSES, p.labels, strict=True) if there}
    best = thresholds.best(runtime.load(path), tuned) if shown else {}
    limits = even | {kind: best[kind] for kind in shown}
    write_card(path, name=name, version=version, side_px=course.side_px, picture=limits)
    rows = [shipping.row(name, use, p) for use, some in (("learnt", learnt), ("scored", aside)) for p in some]
    shipping.listed(out / shipping.TRAINING, name, rows)
    return path


def write_card(path: Path, *, name: str, version: str, side_px: int, picture: Mapping[str, float]) -> None:
    """Write the card of a model beside it."""
    card = {
        "name": name,
        "version": version,
        "classes": list(CLASSES),
        "picture": dict(picture),
        "box": dict.fromkeys(CLASSES, _BOX_SCORE),
        "longest_px": side_px,
        "dark": runtime.DARK,
        "licence": "AGPL-3.0",
    }
    cards.write(path, card)


def _rows(picture: LabelledPicture) -> str:
    boxes = np.zeros((0, 5)) if picture.boxes is None else picture.boxes
    return "".join(f"{int(kind)} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n" for kind, x, y, w, h in boxes)


def _offline(out: Path) -> None:
    """Keep ultralytics to this machine: what it reads when it is imported, then its settings."""
    settings_in = out.resolve() / "settings"
    settings_in.mkdir(parents=True, exist_ok=True)
    os.environ |= {"YOLO_OFFLINE": "1", "YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(settings_in)}
    from vision.train.peer_tiles import stand_in_for_torchvision

    try:
        import torchvision  # noqa: F401 - some builds of it lack their operators
    except (ImportError, RuntimeError):
        stand_in_for_torchvision()
    from ultralytics import settings

    settings.update({"sync": False})


def _begun(start: Path) -> tuple[str, dict[str, Any], int]:
    """Return the size that a state dict fits, the tensors of it that fit, and how many the network has.

    Raises:
        InputWrong: it is no state dict, or of no size do half of the tensors fit.
    """
    import pickle

    import torch
    from ultralytics.nn.tasks import DetectionModel

    try:
        state = torch.load(start, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        raise InputWrong(f"{start}: no state dict: expected tensors by name and nothing else") from None
    if not isinstance(state, dict):
        raise InputWrong(f"{start}: no state dict")
    for size in _SIZES:
        name = f"yolov5{size}.yaml"
        own = DetectionModel(name, nc=len(CLASSES), verbose=False).state_dict()
        fits = {k: v for k, v in state.items() if k in own and own[k].shape == getattr(v, "shape", None)}
        if 2 * len(fits) > len(own):
            return name, fits, len(own)
    raise InputWrong(f"{start}: expected tensors of YOLOv5 n, s, m, l or x by name: fits none of them")


def _rounds_done(last: Path) -> int:
    from ultralytics.nn.tasks import load_checkpoint

    return int(load_checkpoint(str(last))[1]["epoch"]) + 1


def _trainer(course: Course, data: Path, size: str, fits: Mapping[str, Any], last: Path | None) -> Any:
    """Return ultralytics' trainer, begun with tensors or, where a checkpoint is named, with that."""
    import torch
    from ultralytics.models.yolo.detect import DetectionTrainer

    class Trainer(DetectionTrainer):  # type: ignore[misc,unused-ignore]
        def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
            net = super().get_model(cfg, weights, verbose)
            if weights is None:
                net.load_state_dict(fits, strict=False)
            return net

        def check_resume(self, overrides: dict[str, Any]) -> None:
            super().check_resume(overrides)
            self.args.epochs = course.rounds  # a finished training may be asked for more rounds

        def final_eval(self) -> None:
            """Leave the optimiser in the checkpoint, so that more rounds can follow."""

    torch.set_num_threads(course.threads)
    told = {
        "model": size,
        "data": str(data),
        "epochs": course.rounds,
        "batch": course.batch,
        "imgsz": course.side_px,
        "save_dir": str((course.out / LAST).resolve().parents[1]),
        "seed": course.seed,
        "device": "cpu",
        "workers": 0,
        "patience": 0,
        "optimizer": "AdamW",
        "lr0": 0.001,
        "degrees": 10.0,
        "amp": False,
        "plots": False,
        "pretrained": False,
    }
    return Trainer(overrides=told | ({"resume": str(last.resolve())} if last else {}))


def _exported(run: Path, side_px: int) -> Path:
    """Return the last checkpoint as ONNX for any size of picture, as `vision.detectors.runtime` takes it."""
    _offline(run)
    from ultralytics import YOLO

    told = {"dynamic": True, "simplify": False, "opset": _OPSET, "imgsz": side_px, "device": "cpu"}
    path = YOLO(str(run / LAST)).export(format="onnx", **told)
    if not path or not Path(path).is_file():
        raise WorkFailed(f"{run / LAST}: ultralytics wrote no ONNX file")
    return Path(path)
