"""Learning: a round of new views, some hundred steps, a score on what was kept aside, a checkpoint; again.

It may be stopped at any moment and goes on from the last checkpoint with `resume`. It is meant to run for
hours beside other work on a machine without a graphics card.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vision import labelled
from vision.labelled import LabelledPicture
from vision.train import export, running, views
from vision.train.augment import HEIGHT_PX, WIDTH_PX
from vision.train.losses import loss
from vision.train.network import Answers, FireNet, pretrained
from vision.train.targets import CLASSES, targets
from vision.train.views import Round

CHECKPOINT, COURSE, ROUNDS = "checkpoint.pt", "course.json", "rounds"
_KEPT_ROUNDS = 5
_DECAY = 0.995  # of the running mean of the weights that is shipped
_WARM_UP, _LEAST_RATE = 60, 0.02
_FLAMES_FROM = 2  # the round from which on only flames are shown anew


@dataclass(frozen=True, slots=True)
class Course:
    """What is learnt from, and how long.

    `held_out` names sources ("fasdd_cv") and groups ("hpwren/c2359") that are only scored on; `labels` is
    a table that says what the folders leave open; `start` a checkpoint whose weights are taken where they
    fit.
    """

    folders: tuple[Path, ...]
    out: Path
    held_out: tuple[str, ...]
    rounds: int = 30
    steps: int = 120
    batch: int = 32
    rate: float = 1.5e-3
    seed: int = 1
    threads: int = 1
    labels: Path | None = None
    start: Path | None = None


def pictures_of(course: Course) -> tuple[list[LabelledPicture], list[LabelledPicture]]:
    """Return a course's pictures: those to learn from and those kept aside.

    Raises:
        InputWrong: a folder or the table of labels cannot be read.
    """
    every = [picture for folder in course.folders for picture in labelled.read(folder)]
    if course.labels:
        every = labelled.told(every, course.labels)
    return labelled.split(every, course.held_out)


def course_of(folder: Path) -> Course:
    """Return the course that a training folder is of.

    Raises:
        InputWrong: nothing was trained there.
    """
    return Course(**running.noted(folder / COURSE, CHECKPOINT))


def trained(folder: Path) -> FireNet:
    """Return the network of the last checkpoint: the running mean of its weights.

    Raises:
        InputWrong: nothing was trained there.
    """
    return running.with_mean(FireNet(), folder / CHECKPOINT)


def train(course: Course, *, resume: bool, told: Callable[[str], None]) -> Path:
    """Return the checkpoint after the last round of a course."""
    running.begin(course, course.out / COURSE)
    learnt, aside = pictures_of(course)
    told(f"{len(learnt)} pictures to learn from, {len(aside)} kept aside")
    net, mean = _fresh(course), _fresh(course)
    optimiser, path = _optimiser(net, course.rate), course.out / CHECKPOINT
    begun = running.resumed(path, net, mean, optimiser, unit=ROUNDS) if resume else 0
    if not begun:
        mean.load_state_dict(net.state_dict())
    trunk = export.trunk(net, course.out / "trunk.onnx", threads=course.threads)
    scored = views.round_of(course.out, "aside", aside, trunk, seed=None, told=told)
    kept: list[Round] = []
    for number in range(begun, course.rounds):
        first = max(0, number + 1 - _KEPT_ROUNDS)
        views.forget(course.out, f"round{first - 1}")
        kept = kept[1:] if len(kept) == _KEPT_ROUNDS else kept
        for wanted in range(first + len(kept), number + 1):
            kept.append(_round(course, wanted, learnt, trunk, told))
        spent = _learn(net, mean, optimiser, kept, course, number)
        running.save(path, net, mean, optimiser, done=number + 1, unit=ROUNDS)
        scores = score(mean, scored, aside)
        told(f"round {number + 1}: loss {spent:.3f}, {json.dumps(scores)}")
        with (course.out / "progress.jsonl").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"round": number + 1, "loss": spent, "at": time.time(), **scores}) + "\n")
    return path


def _fresh(course: Course) -> FireNet:
    """Return a network with ImageNet's weights, and over them what fits of the checkpoint to begin with."""
    net = pretrained(torch.load(export.pretrained_file(), map_location="cpu", weights_only=True))
    if course.start:
        mine = net.state_dict()
        other = torch.load(course.start, map_location="cpu", weights_only=True)["mean"]
        fits = {k: v for k, v in other.items() if k in mine and mine[k].shape == v.shape}
        net.load_state_dict({**mine, **fits})
    return net


def _round(
    course: Course,
    number: int,
    learnt: Sequence[LabelledPicture],
    trunk: views.Trunk,
    told: Callable[[str], None],
) -> Round:
    """Return a round: first the pictures as they are, then all of them changed, later only flames."""
    seed = None if number == 0 else course.seed * 1000 + number
    shown = learnt if number < _FLAMES_FROM else _flames(learnt, course.seed * 1000 + number)
    return views.round_of(course.out, f"round{number}", shown, trunk, seed=seed, told=told)


def _flames(learnt: Sequence[LabelledPicture], seed: int) -> list[LabelledPicture]:
    """Return a quarter as many pictures again: flames, as many without smoke as with it.

    Flames without smoke are few among the pictures; without this "smoke" is learnt as a word for flames.
    """
    rng = np.random.default_rng((seed, 11))
    kinds = [[p for p in learnt if p.labels == (1, smoke)] for smoke in (0, 1)]
    eighth = len(learnt) // 8
    return [kind[int(i)] for kind in kinds if kind for i in rng.integers(len(kind), size=eighth)]


def score(net: FireNet, scored: Round, aside: Sequence[LabelledPicture]) -> dict[str, Any]:
    """Return per class the best F1 any one threshold reaches and how well the answers are ordered."""
    said = answers_of(net, scored)
    truth = scored.labels
    result: dict[str, Any] = {}
    for kind, name in enumerate(CLASSES):
        known = truth[:, kind] >= 0
        result[name] = _ordering(said[known, kind], truth[known, kind] == 1)
        for source in sorted({p.source for p in aside}):
            mine = known & np.array([p.source == source for p in aside])
            if 0 < (truth[mine, kind] == 1).sum() < mine.sum():
                result[f"{name} {source}"] = _ordering(said[mine, kind], truth[mine, kind] == 1)
    return result


def answers_of(net: FireNet, scored: Round) -> npt.NDArray[np.float32]:
    """Return the pictures' log odds per class."""
    net.eval()
    with torch.no_grad():
        parts = [
            net.answers(_tensor(scored.fine[i : i + 32]), _tensor(scored.deep[i : i + 32])).picture
            for i in range(0, len(scored), 32)
        ]
    return np.asarray(torch.cat(parts).numpy(), np.float32)


def _ordering(said: npt.NDArray[np.float32], truth: npt.NDArray[np.bool_]) -> list[float]:
    """Return the best F1 and the average precision."""
    order = np.argsort(-said)
    hits = np.cumsum(truth[order])
    found, precision = hits / max(truth.sum(), 1), hits / np.arange(1, len(hits) + 1)
    best = (2 * found * precision / np.maximum(found + precision, 1e-9)).max()
    mean = precision[truth[order]].mean() if truth.any() else 0.0
    return [round(float(best), 3), round(float(mean), 3)]


def _learn(
    net: FireNet,
    mean: FireNet,
    optimiser: torch.optim.Optimizer,
    kept: list[Round],
    course: Course,
    number: int,
) -> float:
    """Take one round's steps and return the mean loss of its second half."""
    rng = np.random.default_rng((course.seed, 7, number))
    spent = []
    for step, (features, cells, ends, labels) in enumerate(_batches(kept, course, rng)):
        done, steps = number * course.steps + step, course.rounds * course.steps
        for group in optimiser.param_groups:
            group["lr"] = course.rate * running.pace(done, steps, warm_up=_WARM_UP, least=_LEAST_RATE)
        net.train()
        for block in (net.fine, net.deep):
            block.eval()  # their normalisation keeps ImageNet's statistics
        optimiser.zero_grad()
        off = loss(_answers(net, features), cells, ends, labels)
        off.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        spent.append(off.item())
        running.follow(mean, net, share=1 - _DECAY)
    return float(np.mean(spent[len(spent) // 2 :]))


def _tensor(values: npt.NDArray[np.float16]) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))


def _answers(net: FireNet, features: tuple[Tensor, Tensor]) -> Answers:
    """Return the answers while learning: 16 bits inside, a third faster, and 32 for what is compared."""
    with torch.autocast("cpu", torch.bfloat16):
        said = net.answers(*features)
    cells, ends = [c.float() for c in said.cells], [e.float() for e in said.ends]
    return Answers(cells, ends, said.picture.float())


def _batches(
    kept: list[Round], course: Course, rng: np.random.Generator
) -> Iterator[tuple[tuple[Tensor, Tensor], list[Tensor], list[Tensor], Tensor]]:
    """Yield batches of a quarter each: fire alone, fire with smoke (or not known), smoke alone, neither."""
    labels = np.concatenate([r.labels for r in kept])
    index = [(r, i) for r, views_ in enumerate(kept) for i in range(len(views_))]
    fire, smoke = labels.T
    kinds = [(fire == 1) & (smoke == 0), (fire == 1) & (smoke != 0), (fire != 1) & (smoke == 1)]
    kinds.append((fire == 0) & (smoke == 0))
    pools = [found for kind in kinds if (found := np.nonzero(kind)[0]).size]
    for _ in range(course.steps):
        sizes = [len(part) for part in np.array_split(np.arange(course.batch), len(pools))]
        drawn = [rng.choice(pool, size) for pool, size in zip(pools, sizes, strict=True)]
        yield _batch(kept, [index[int(i)] for i in np.concatenate(drawn)])


def _batch(
    kept: list[Round], drawn: Sequence[tuple[int, int]]
) -> tuple[tuple[Tensor, Tensor], list[Tensor], list[Tensor], Tensor]:
    fine, deep = (
        _tensor(np.stack([part[i] for part, i in picked]))
        for picked in ([(kept[r].fine, i) for r, i in drawn], [(kept[r].deep, i) for r, i in drawn])
    )
    labels = np.stack([kept[r].labels[i] for r, i in drawn])
    truth = [
        targets(kept[r].boxes[i], tuple(kept[r].labels[i].tolist()), width=WIDTH_PX, height=HEIGHT_PX)
        for r, i in drawn
    ]
    cells = [torch.from_numpy(np.stack([t[s].cells for t in truth])) for s in range(3)]
    ends = [torch.from_numpy(np.stack([t[s].ends for t in truth])) for s in range(3)]
    return (fine, deep), cells, ends, torch.from_numpy(labels)


def _optimiser(net: FireNet, rate: float) -> torch.optim.Optimizer:
    """Return the optimiser; the trunk does not move."""
    for part in (net.fine, net.deep):
        part.requires_grad_(False)
    rest = [p for p in net.parameters() if p.requires_grad]
    return torch.optim.AdamW(rest, lr=rate, weight_decay=0.02)
