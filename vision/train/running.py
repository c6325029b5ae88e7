"""What a training keeps while it runs: the running mean of its weights, which ships, and its checkpoints."""

from pathlib import Path

import torch
from torch import nn


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
