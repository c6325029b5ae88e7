"""How far things must stay from a conductor, by voltage: the table `data/clearances.yaml`."""

from functools import cache
from importlib import resources

from ruamel.yaml import YAML

UNKNOWN_KV = 35.0
"""What a line of unknown voltage is held to: a breach of the lowest transmission class is one of any."""


@cache
def _table() -> dict[str, tuple[str, tuple[tuple[float, float], ...]]]:
    text = (resources.files("vision.lidar") / "data" / "clearances.yaml").read_text("utf-8")
    read = YAML(typ="safe").load(text)
    return {
        kind: (row["source"].strip(), tuple((float(kv), float(m)) for kv, m in row["metres"]))
        for kind, row in read.items()
    }


def kinds() -> tuple[str, ...]:
    """Return the kinds of thing that have distances of their own; all else counts as "other"."""
    return tuple(_table())


def required_m(kind: str, voltage_kv: float | None) -> float:
    """Return the least distance in metres from a conductor to a thing of a kind."""
    _, rows = _table()[kind if kind in _table() else "other"]
    reached = UNKNOWN_KV if voltage_kv is None else voltage_kv
    return max((row for row in rows if row[0] <= reached), key=lambda row: row[0])[1]


def allows_kv(kind: str, clearance_m: float) -> float | None:
    """Return the highest voltage class whose distance is kept, by the kV it begins at; None for no class."""
    _, rows = _table()[kind if kind in _table() else "other"]
    kept = [kv for kv, metres in rows if metres <= clearance_m]
    return max(kept) if kept else None


def source(kind: str) -> str:
    """Return the standard that the distances of a kind are from."""
    return _table()[kind if kind in _table() else "other"][0]
