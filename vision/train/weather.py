"""Learning what only looks like fire or smoke: fog, haze, dust, autumn's leaves.

What is learnt is a doubt of the frozen network's answer for whole pictures. Each picture is looked at once
as it is, quiet ones again with weather drawn over them (`veils`), plumes again in thin haze; then some
hundred steps are taken, in a quarter of an hour of one core. The doubt is only ever taken off, so it is
learnt where it costs: what burns counts `_POSITIVE` times, and the network's own answer, which is surer of
pictures it learnt from than of others, only in part.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from missions.errors import InputWrong
from vision import labelled
from vision.detectors import runtime
from vision.labelled import LabelledPicture
from vision.train import WEATHER_COURSE, box_graph, running, veils
from vision.train.weather_graph import WeatherHead, looking

CHECKPOINT, LOOKS_FILE, STEPS = "weather.pt", "looks.npz", "steps"

_SHARES = {"": 1.0, "quiet": 0.8, "fogged": 1.0, "dusty": 0.7, "autumnal": 1.2, "hazy": 1.0}
"""How often a kind of view is shown, beside the others."""

_POSITIVE = 10.0
_OF_ITS_WORD, _CLEARLY = 0.6, 3.0  # how much of the network's log odds counts, and the most of them
_LONGEST_PX = 1600
_EVERY, _TOLD_EVERY = 100, 250
_WARM_UP = 50
_DECAY = 0.2

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Course:
    """What is learnt from, on which model's network, how long. What `labels` lists as scored is not."""

    folders: tuple[Path, ...]
    out: Path
    start: Path
    labels: Path
    held_out: tuple[str, ...] = ()
    steps: int = 700
    batch: int = 192
    rate: float = 2e-3
    seed: int = 1
    threads: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Views as the network sees them, canvas by canvas: looks (n, canvases, channels), log odds (n, canvases,
    classes), labels (n, classes), and the group that each is drawn with."""

    looks: Floats
    odds: Floats
    labels: npt.NDArray[np.int64]
    groups: npt.NDArray[np.str_]


def pictures_of(course: Course) -> tuple[list[LabelledPicture], list[LabelledPicture]]:
    """Return a course's pictures: those to learn from and those kept aside.

    Raises:
        InputWrong: a folder or the table cannot be read, or nothing to learn from is quiet.
    """
    learnt, aside = labelled.apart(course.folders, course.labels, course.held_out)
    if not any(p.labels == (0, 0) for p in learnt):
        raise InputWrong("no picture to learn from is without fire and smoke: weather is drawn over such")
    return learnt, aside


def course_of(folder: Path) -> Course:
    """Return the course that a training folder is of.

    Raises:
        InputWrong: nothing was trained there.
    """
    return Course(**running.noted(folder / WEATHER_COURSE, CHECKPOINT))


def trained(folder: Path) -> WeatherHead:
    """Return the head of the last checkpoint.

    Raises:
        InputWrong: nothing was trained there.
    """
    return running.with_mean(WeatherHead(), folder / CHECKPOINT)


def train(course: Course, *, resume: bool, told: Callable[[str], None]) -> Path:
    """Return the checkpoint after the last step of a course."""
    running.begin(course, course.out / WEATHER_COURSE)
    learnt, _ = pictures_of(course)
    told(f"{len(learnt)} pictures to learn from")
    seen = _seen(course, learnt, resume=resume, told=told)
    card = runtime.load(course.start).card
    limits = np.array([card.picture[name] for name in card.classes])
    beyond = torch.from_numpy(seen.odds.mean(1) - np.log(limits / (1 - limits)).astype(np.float32))
    head, mean = WeatherHead(), WeatherHead()
    for part in (head, mean):
        part.mean.copy_(torch.from_numpy(seen.looks.mean((0, 1))))
        part.spread.copy_(torch.from_numpy(seen.looks.std((0, 1)) + 1e-3))
    optimiser = torch.optim.AdamW(head.parameters(), lr=course.rate, weight_decay=_DECAY)
    path = course.out / CHECKPOINT
    begun = running.resumed(path, head, mean, optimiser, unit=STEPS) if resume else 0
    looks, labels = torch.from_numpy(seen.looks), torch.from_numpy(seen.labels)
    often = _often(seen.groups)
    for step in range(begun, course.steps):
        rng = np.random.default_rng((course.seed, step))
        rows = rng.choice(len(often), course.batch, p=often)
        canvas = rng.integers(looks.shape[1], size=course.batch)
        for group in optimiser.param_groups:
            group["lr"] = course.rate * running.pace(step, course.steps, warm_up=_WARM_UP)
        head.train()
        left = (beyond[rows] * _OF_ITS_WORD).clamp(-_CLEARLY, _CLEARLY) - head(looks[rows, canvas])
        truth = labels[rows]
        worth = (truth >= 0).float() * torch.where(truth == 1, _POSITIVE, 1.0)
        off = F.binary_cross_entropy_with_logits(left, truth.clamp(0).float(), reduction="none") * worth
        optimiser.zero_grad()
        (off.sum() / (truth >= 0).sum()).backward()
        optimiser.step()
        running.follow(mean, head, share=max(0.01, 10 / (step + 10)))
        if step % _EVERY == _EVERY - 1 or step == course.steps - 1:
            running.save(path, head, mean, optimiser, done=step + 1, unit=STEPS)
            told(f"step {step + 1}: loss {off.sum().item() / len(rows):.3f}")
    return path


def views(picture: LabelledPicture, seed: int) -> Iterator[tuple[str, runtime.Rgb]]:
    """Yield what a picture is shown as, each with the kind of view; the same for the same seed."""
    pixels = labelled.load_rgb(picture.path)
    if (scale := _LONGEST_PX / max(pixels.shape)) < 1:
        how = cv2.INTER_AREA
        pixels = np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=how), np.uint8)
    number = zlib.crc32(picture.name.encode())
    rng = np.random.default_rng((seed, number))
    if picture.labels != (0, 0):
        yield "", pixels
        if picture.smoke == 1 and number % 2:
            yield "hazy", veils.hazy(pixels, rng)
        return
    yield "quiet", pixels
    yield "fogged", veils.fogged(pixels, rng)
    yield "dusty", veils.dusty(pixels, rng)
    if (turned := veils.autumnal(pixels, rng)) is not None:
        yield "autumnal", turned


def _seen(
    course: Course, learnt: Sequence[LabelledPicture], *, resume: bool, told: Callable[[str], None]
) -> Looks:
    """Return every view as the network sees it; kept in a file of the course's folder."""
    path = course.out / LOOKS_FILE
    if resume and path.is_file():
        return Looks(**np.load(path))
    look, card = looking(box_graph.read(course.start)), runtime.load(course.start).card
    looks, odds, labels, groups = [], [], [], []
    for done, picture in enumerate(learnt, start=1):
        for kind, pixels in views(picture, course.seed):
            said = [look(canvas) for canvas, _ in runtime.shown(pixels, card)]
            likely = np.clip([answer for _, answer in said], 1e-6, 1 - 1e-6)
            looks.append([one for one, _ in said])
            odds.append(np.log(likely / (1 - likely)))
            labels.append(picture.labels)
            groups.append(f"{kind} {picture.source} {picture.labels}")
        if done % _TOLD_EVERY == 0 or done == len(learnt):
            told(f"looked at {done} of {len(learnt)} pictures")
    seen = Looks(
        np.array(looks, np.float32), np.array(odds, np.float32), np.array(labels, np.int64), np.array(groups)
    )
    np.savez(path, looks=seen.looks, odds=seen.odds, labels=seen.labels, groups=seen.groups)
    return seen


def _often(groups: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Return how often each view is drawn: those of large groups less than those of small ones."""
    names, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    shares = np.array([_SHARES[str(name).split(" ")[0]] for name in names]) / np.sqrt(sizes)
    return np.asarray(shares[group] / shares[group].sum())
