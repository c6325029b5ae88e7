"""Felled ground in a single picture: which cells look like it, by a linear judge over `felled_cells`.

`models/felled.npz` holds the judge and, for each group of pictures it learnt from (a video, a flight), one
that learnt without that group, so that anybody can score it on pictures it has not seen. Its card
`models/felled.json` says from which share of felled cells on a picture counts.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np

from vision import felled_cells, water_model
from vision.felled_cells import Band, Pixels

MODEL, CARD = "felled.npz", "felled.json"
EVERY = ""
"""The judge that learnt from every group."""

FARTHEST = 4.0
"""A number counts as no stranger than so many deviations."""

LIKELY = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """A linear judge: how cells' numbers are centred and scaled, weighed and summed."""

    mean: Band
    spread: Band
    weights: Band
    offset: float

    def likely(self, cells: Band) -> Band:
        """Return how likely each cell is felled ground."""
        near = np.clip((cells - self.mean) / self.spread, -FARTHEST, FARTHEST)
        said = np.clip(near @ self.weights + self.offset, -30, 30)
        return np.asarray(1 / (1 + np.exp(-said)), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class FelledGround:
    """The judges by the group each learnt without, and the share of cells from which a picture counts."""

    judges: dict[str, Judge]
    share: float
    title: str

    def cells(self, pixels: Pixels, *, without: str = EVERY) -> Band:
        """Return how likely each cell of a picture is felled ground, by the judge that never saw a group."""
        described = felled_cells.described(pixels, water_model.shipped())
        return self.judges.get(without, self.judges[EVERY]).likely(described)


def share_of(likely: Band) -> float:
    """Return the share of a picture's cells that are felled ground."""
    return float((likely > LIKELY).mean())


def read(folder: Path) -> FelledGround:
    """Return the judges and the card of a folder."""
    card = json.loads((folder / CARD).read_text("utf-8"))
    with np.load(folder / MODEL) as kept:
        parts = {name: np.asarray(kept[name], np.float32) for name in ("mean", "spread", "weights", "offset")}
    judges = {
        group: Judge(parts["mean"][i], parts["spread"][i], parts["weights"][i], float(parts["offset"][i]))
        for i, group in enumerate(card["judges"])
    }
    return FelledGround(judges, float(card["share"]), f"{card['name']} {card['version']}")


@lru_cache(maxsize=1)
def shipped() -> FelledGround:
    """Return the judges that come with the program, read once a process."""
    return read(Path(str(resources.files("vision") / "models")))
