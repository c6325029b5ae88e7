"""Several lists put on board one after the other, each with its proof, as a machine without I/O.

The mission goes last: until it is proven nothing on board can be started, and by
then the fence around it and the places to land are there.
"""

import math
from collections.abc import Collection, Sequence
from typing import Protocol

from fleet.autopilots import Autopilot
from fleet.messages import Item, ListKind, Outgoing, Transfer
from fleet.order import SortieOrder
from fleet.patience import Patience
from fleet.placement import Placement
from fleet.transfer import Upload, UploadResult
from fleet.zones import Zone
from missions.items import rally_above_home_m

_POLYGON_IN, _POLYGON_OUT, _CIRCLE_IN, _CIRCLE_OUT, _RALLY = 5001, 5002, 5003, 5004, 5100
_GLOBAL, _ABOVE_HOME = 0, 3


class Proven(Protocol):
    """A machine that changes one list on board and ends with a proof: an upload, or a clearing."""

    result: UploadResult | None

    def start(self, now: float) -> list[Outgoing]: ...

    def receive(self, message: Transfer, now: float) -> list[Outgoing]: ...

    def tick(self, now: float) -> list[Outgoing]: ...


class Loading:
    """Runs its machines in order; the first one that fails ends it."""

    def __init__(self, machines: Sequence[tuple[str, Proven]]) -> None:
        self.result: UploadResult | None = None
        self._machines = list(machines)
        self._uploaded = False

    @property
    def current(self) -> Proven | None:
        """The machine at work."""
        return self._machines[0][1] if self._machines else None

    def start(self, now: float) -> list[Outgoing]:
        """Return the first messages."""
        return self._machines[0][1].start(now)

    def receive(self, message: Transfer, now: float) -> list[Outgoing]:
        """Take in one message of the vehicle; return the messages to send."""
        return self._after(self._machines[0][1].receive(message, now), now) if self._machines else []

    def tick(self, now: float) -> list[Outgoing]:
        """Return what silence demands."""
        return self._after(self._machines[0][1].tick(now), now) if self._machines else []

    def _after(self, out: list[Outgoing], now: float) -> list[Outgoing]:
        name, machine = self._machines[0]
        found = machine.result
        if found is None:
            return out
        self._machines.pop(0)
        self._uploaded = self._uploaded or found.uploaded
        if not found.verified:
            self._machines.clear()
            self.result = UploadResult(False, self._uploaded, f"{name}: {found.reason}")
        elif not self._machines:
            # Whether the *mission* was on board already is what a sortie tells.
            self.result = UploadResult(
                True, found.uploaded, "", found.opaque_id, found.written, found.checksum
            )
        else:
            out += self._machines[0][1].start(now)
        return out


def loading_of(
    order: SortieOrder,
    mission: Sequence[Item],
    autopilot: Autopilot,
    patience: Patience,
    *,
    files: bool = False,
    known_id: int = 0,
    keeps: Collection[ListKind] = (),
) -> Loading:
    """Return what puts an order on board: its fence and rally points where it has them, and its mission.

    `files` says that the vehicle offers files, and so perhaps its mission as one;
    `known_id` is the opaque id that it gave this mission before. Of the lists that the
    vehicle `keeps`, those of an earlier sortie are taken off where this one has none: a
    drone would fly home to a place that was right yesterday.
    """
    lists: list[tuple[str, Proven]] = []
    for name, kind, items in (
        ("fence", ListKind.FENCE, fence_items(order.fence)),
        ("rally points", ListKind.RALLY, rally_items(order)),
    ):
        if items or kind in keeps:
            around = Upload(items, same=same_place, window=autopilot.window, patience=patience, kind=kind)
            lists.append((name, around))
    placement = Placement(mission, autopilot, files=files, patience=patience, known_id=known_id)
    return Loading([*lists, ("mission", placement)])


def fence_items(zones: Sequence[Zone]) -> tuple[Item, ...]:
    """Return a fence as a vehicle takes it: one item a corner, each saying how many its polygon has."""
    items: list[Item] = []
    for zone in zones:
        if zone.radius_m is not None:
            command, first = _CIRCLE_IN if zone.inside else _CIRCLE_OUT, zone.radius_m
        else:
            command, first = _POLYGON_IN if zone.inside else _POLYGON_OUT, float(len(zone.corners))
        for corner in zone.corners:
            params = (first, 0.0, 0.0, 0.0)
            place = round(corner.lat_deg, 7), round(corner.lon_deg, 7)
            items.append(Item(len(items), command, _GLOBAL, params, *place, 0.0, ListKind.FENCE))
    return tuple(items)


def rally_items(order: SortieOrder) -> tuple[Item, ...]:
    """Return the rally points of an order as a vehicle takes them, come to as high as the sortie flies."""
    return tuple(
        Item(
            seq,
            _RALLY,
            _ABOVE_HOME,
            (0.0, 0.0, 0.0, 0.0),
            round(landing.lat_deg, 7),
            round(landing.lon_deg, 7),
            rally_above_home_m(order.items, landing.elevation_m, order.dock.elevation_m),
            ListKind.RALLY,
        )
        for seq, landing in enumerate(order.rally)
    )


def same_place(sent: Item, read: Item) -> bool:
    """Return whether a fence or rally item read back is the one sent.

    Autopilots keep its kind, its place and, of a fence, its count or radius; the rest is theirs.
    """
    return (
        (sent.seq, sent.command) == (read.seq, read.command)
        and round(sent.lat_deg * 1e7) == round(read.lat_deg * 1e7)
        and round(sent.lon_deg * 1e7) == round(read.lon_deg * 1e7)
        and (sent.kind is ListKind.RALLY or math.isclose(sent.params[0], read.params[0], abs_tol=0.5))
    )
