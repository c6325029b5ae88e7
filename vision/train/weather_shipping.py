"""What leaves a training of weather: the model with its doubt, its card, and what was learnt from.

Boxes and the answers for pieces stay as they were, but for the last places of the graph's numbers. The
thresholds for whole pictures fall so far that as many of the fires and plumes kept aside are found as before;
the sources held out whole have no say in it.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vision import labelled
from vision.detectors import runtime
from vision.detectors.runtime import Model
from vision.labelled import LabelledPicture
from vision.train import box_graph, cards, export, shipping, weather
from vision.train.weather_graph import with_weather

_PLACES = 12  # of steps and constants: a packed file smaller by a fortieth


def ship(run: Path, out: Path, *, name: str, version: str, told: Callable[[str], None]) -> Path:
    """Return the packed ONNX file of a training, written with its card and its new rows of TRAINING.csv."""
    course, head = weather.course_of(run), weather.trained(run)
    learnt, kept = weather.pictures_of(course)
    model = with_weather(box_graph.read(course.start), head)
    export.in_few_places(model.graph, _PLACES)
    card = cards.read(course.start) | {"name": name, "version": version}
    path = out / f"{name}.onnx.xz"
    box_graph.packed(model, path)
    cards.write(path, card)
    aside = [p for p in kept if p.source not in course.held_out]
    told(f"choosing thresholds on {len(aside)} pictures kept aside")
    before, after = (answers(runtime.load(file), aside) for file in (course.start, path))
    for kind, of in enumerate(card["classes"]):
        there = np.array([p.labels[kind] == 1 for p in aside])
        card["picture"][of] = as_found(before[there, kind], after[there, kind], card["picture"][of])
    cards.write(path, card)
    rows = (shipping.row(name, "learnt", p) for p in learnt)
    shipping.listed_anew(out / shipping.TRAINING, name, course.labels, rows)
    return path


def answers(model: Model, pictures: Sequence[LabelledPicture]) -> npt.NDArray[np.float32]:
    """Return how likely a model finds each class in each picture: (pictures, classes)."""
    seen = [model.see_whole(labelled.load_rgb(picture.path))[0].picture for picture in pictures]
    return np.array(seen, np.float32).reshape(len(seen), -1)


def as_found(before: npt.NDArray[np.float32], after: npt.NDArray[np.float32], limit: float) -> float:
    """Return the score from which as many of those that are there are found as from `limit` on before.

    Never a higher one, and `limit` itself where nothing was found.
    """
    found = int((before >= limit).sum())
    if not found:
        return limit
    return min(limit, math.floor(1000 * float(np.sort(after)[-found])) / 1000)
