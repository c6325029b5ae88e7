"""Learning where: the head of the boxes on the shipped network, which does not move.

Rounds of views are made once (`box_views`); then some thousand steps are taken, in an hour of one core
without a graphics card. It may be stopped at any moment and goes on from the last checkpoint with `resume`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from missions.errors import InputWrong
from vision import labelled
from vision.labelled import LabelledPicture
from vision.train import BOXES_COURSE, box_graph, running
from vision.train.box_head import BoxHead
from vision.train.box_losses import loss
from vision.train.box_views import Canvas, Round, round_of

CHECKPOINT, STEPS = "boxes.pt", "steps"
ROUNDS: tuple[Canvas, ...] = ((512, 384), (512, 384), (768, 576), (384, 320))
"""Canvases of the rounds: small ones show what is wide as the detector's smaller look does."""

_OFTEN = {"hpwren": 0.8, "flame_uav": 0.6}
"""How often a view of a source is shown, beside one of another: many pictures of few scenes."""

_DECAY = 0.995  # of the running mean of the weights that is shipped
_WARM_UP, _LEAST_RATE = 100, 0.02
_EVERY = 250  # steps between checkpoints
_WITHOUT_BOXES = 0.25  # how often a view without a box is shown, beside one with
_LARGE_PX = 600  # canvases from this width on are shown half as many at a time


@dataclass(frozen=True, slots=True)
class Course:
    """What is learnt from, on which model's network, how long. What `labels` lists as scored is not."""

    folders: tuple[Path, ...]
    out: Path
    start: Path
    labels: Path
    held_out: tuple[str, ...] = ()
    steps: int = 3000
    batch: int = 12
    rate: float = 3e-3
    seed: int = 1
    threads: int = 1


def pictures_of(course: Course) -> tuple[list[LabelledPicture], list[LabelledPicture]]:
    """Return a course's pictures whose boxes are complete: those to learn from and those kept aside.

    Raises:
        InputWrong: a folder or the table cannot be read, or no picture to learn from has boxes.
    """
    learnt, aside = (
        [p for p in part if p.boxes is not None]
        for part in labelled.apart(course.folders, course.labels, course.held_out)
    )
    if not any(len(p.boxes) for p in learnt if p.boxes is not None):
        raise InputWrong("no picture to learn from has complete boxes (column boxes = 1, labels/NAME.txt)")
    return learnt, aside


def course_of(folder: Path) -> Course:
    """Return the course that a training folder is of.

    Raises:
        InputWrong: nothing was trained there.
    """
    return Course(**running.noted(folder / BOXES_COURSE, CHECKPOINT))


def trained(folder: Path) -> BoxHead:
    """Return the head of the last checkpoint: the running mean of its weights.

    Raises:
        InputWrong: nothing was trained there.
    """
    return running.with_mean(BoxHead(), folder / CHECKPOINT)


def train(course: Course, *, resume: bool, told: Callable[[str], None]) -> Path:
    """Return the checkpoint after the last step of a course."""
    running.begin(course, course.out / BOXES_COURSE)
    learnt, aside = pictures_of(course)
    told(f"{len(learnt)} pictures to learn from, {len(aside)} kept aside")
    model = box_graph.read(course.start)
    trunk, worth = box_graph.trunk(model), box_graph.steps(model)
    rounds = [
        round_of(
            course.out,
            f"round{number}",
            learnt,
            trunk,
            canvas=canvas,
            seed=course.seed + number,
            told=told,
        )
        for number, canvas in enumerate(ROUNDS)
    ]
    head, mean = BoxHead(), BoxHead()
    mean.load_state_dict(head.state_dict())
    optimiser = torch.optim.AdamW(head.parameters(), lr=course.rate, weight_decay=0.02)
    path = course.out / CHECKPOINT
    begun = running.resumed(path, head, mean, optimiser, unit=STEPS) if resume else 0
    shares, spent = np.array([_OFTEN.get(p.source, 1.0) for p in learnt]), []
    for step in range(begun, course.steps):
        shown, drawn = _drawn(rounds, shares, course, step)
        for group in optimiser.param_groups:
            group["lr"] = course.rate * running.pace(step, course.steps, warm_up=_WARM_UP, least=_LEAST_RATE)
        head.train()
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            said = head.say(numbers(shown, drawn, worth))
        truth = [torch.from_numpy(shown.boxes[i]) for i in drawn]
        off = loss(said, truth, torch.from_numpy(shown.labels[drawn]))
        off.backward()
        torch.nn.utils.clip_grad_norm_(head.parameters(), 5.0)
        optimiser.step()
        running.follow(mean, head, share=max(1 - _DECAY, 10 / (step + 10)))
        spent.append(off.item())
        if step % _EVERY == _EVERY - 1 or step == course.steps - 1:
            running.save(path, head, mean, optimiser, done=step + 1, unit=STEPS)
            told(f"step {step + 1}: loss {np.mean(spent[-_EVERY:]):.3f}")
    return path


def numbers(
    shown: Round, drawn: npt.NDArray[np.int64], worth: dict[str, tuple[float, int]]
) -> dict[str, Tensor]:
    """Return some views' taps as the numbers that their counts stand for."""
    return {
        tap: (torch.from_numpy(shown.features[tap][drawn]).float() - nought) * step
        for tap, (step, nought) in worth.items()
    }


def _drawn(
    rounds: Sequence[Round], shares: npt.NDArray[np.float64], course: Course, step: int
) -> tuple[Round, npt.NDArray[np.int64]]:
    """Return a round and the views of it that a step is about, the same whenever it is taken."""
    rng = np.random.default_rng((course.seed, step))
    shown = rounds[int(rng.integers(len(rounds)))]
    often = shares * [1.0 if len(boxes) else _WITHOUT_BOXES for boxes in shown.boxes]
    count = course.batch if shown.canvas[0] < _LARGE_PX else max(1, course.batch // 2)
    return shown, np.sort(
        rng.choice(len(shown), min(count, len(shown)), replace=False, p=often / often.sum())
    )
