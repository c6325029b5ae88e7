"""What trainings share: the course kept, its pace, its checkpoints, the running mean of the weights."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import torch
from torch import nn

from missions.errors import InputWrong

Net = TypeVar("Net", bound=nn.Module)


class Course(Protocol):
    """What a training is of: a dataclass that says at least this."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def seed(self) -> int: ...
    @property
    def threads(self) -> int: ...


def begin(course: Course, path: Path) -> None:
    """Write down a course, and draw by chance as it says."""
    torch.set_num_threads(course.threads)
    torch.manual_seed(course.seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(course), default=str, indent=1) + "\n", "utf-8")


def noted(path: Path, checkpoint: str) -> dict[str, Any]:
    """Return what is written down of a course: its folders, table of labels and start as paths.

    Raises:
        InputWrong: nothing was trained there.
    """
    if not path.is_file():
        raise InputWrong(f"{path.parent}: no training there, expected {path.name} and {checkpoint}")
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    value |= {"folders": tuple(Path(f) for f in value["folders"]), "out": path.parent}
    value |= {name: Path(value[name]) if value.get(name) else None for name in ("labels", "start")}
    return value | {"held_out": tuple(value["held_out"])}


def pace(step: int, steps: int, *, warm_up: int, least: float = 0.0) -> float:
    """Return the share of the full rate that a step is taken at.

    It rises over `warm_up` steps and falls as a cosine to `least`.
    """
    falling = (1 + math.cos(math.pi * step / steps)) / 2
    return min(1.0, (step + 1) / warm_up) * (least + (1 - least) * falling)


def with_mean(net: Net, path: Path) -> Net:
    """Return a network with the running mean of a checkpoint's weights, ready to answer.

    Raises:
        InputWrong: nothing was trained there.
    """
    if not path.is_file():
        raise InputWrong(f"{path.parent}: no training there, expected {path.name}")
    net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["mean"])
    net.eval()
    return net


def follow(mean: nn.Module, net: nn.Module, *, share: float) -> None:
    """Move the running mean's weights by `share` of the way towards the network's."""
    with torch.no_grad():
        for theirs, mine in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
            if theirs.dtype.is_floating_point:
                theirs.lerp_(mine, share)
            else:
                theirs.copy_(mine)


def save(
    path: Path, net: nn.Module, mean: nn.Module, optimiser: torch.optim.Optimizer, *, done: int, unit: str
) -> None:
    """Write a checkpoint, whole or not at all; `unit` names what was done so often ("rounds")."""
    state = {"net": net.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict()}
    part = path.with_suffix(".part")
    torch.save({**state, unit: done}, part)
    part.replace(path)


def resumed(
    path: Path, net: nn.Module, mean: nn.Module, optimiser: torch.optim.Optimizer, *, unit: str
) -> int:
    """Load the last checkpoint, if there is one, and return how much was done by then."""
    if not path.is_file():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    net.load_state_dict(state["net"])
    mean.load_state_dict(state["mean"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state[unit])
