"""What differs between autopilots, one file each behind one small protocol."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from fleet.messages import Command, Item, Parameter
from fleet.order import DockPlace, SortieOrder
from fleet.parameters import Wanted
from missions.items import MissionItem


class Step(StrEnum):
    """What a vehicle can be told to do during a sortie."""

    READY = "ready"  # a mode in which it may be armed
    ARM = "arm"
    DISARM = "disarm"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    RECALL = "recall"
    LAND = "land"  # come down where it is
    EXPLAIN = "explain"  # say at once why it may not be armed


class Flying(StrEnum):
    """What a flight mode means to a sortie."""

    READY = "ready"
    MISSION = "mission"
    RETURN = "return"
    LAND = "land"
    OTHER = "other"


class Autopilot(Protocol):
    """How one kind of autopilot wants to be spoken to."""

    @property
    def name(self) -> str: ...

    @property
    def first(self) -> int:
        """The number of the first item of ours in its list."""
        ...

    @property
    def window(self) -> int:
        """How many items may be asked for at once when reading back."""
        ...

    @property
    def climbs_in_place(self) -> bool:
        """Whether a take-off item met in the air climbs straight up where the vehicle is."""
        ...

    @property
    def most_items(self) -> int:
        """How many items its list holds."""
        ...

    @property
    def takes_parts(self) -> bool:
        """Whether a few items of its list can be written without the rest."""
        ...

    @property
    def has_list_file(self) -> bool:
        """Whether its list can be read and written as a file, where it offers files at all."""
        ...

    @property
    def hash_name(self) -> str:
        """The parameter that is a hash over all others, "" where it has none."""
        ...

    def mission(self, items: Sequence[MissionItem], dock: DockPlace) -> tuple[Item, ...]:
        """Return the list to upload."""
        ...

    def stored(self, item: Item) -> Item:
        """Return an item in the form in which this autopilot keeps it, sent or read back alike."""
        ...

    def list_id(self, items: Sequence[Item]) -> int | None:
        """Return the number by which it tells this list on board from others, None if it has none."""
        ...

    def same(self, sent: Item, read: Item) -> bool:
        """Return whether an item read back is the one sent, as this autopilot stores it."""
        ...

    def profile(self, order: SortieOrder) -> tuple[Wanted, ...]:
        """Return the parameters a flight relies on."""
        ...

    def commands(self, step: Step, mode: int | None) -> tuple[Command, ...]:
        """Return the commands of a step, given the mode the vehicle is in."""
        ...

    def jump(self, seq: int, mode: int | None) -> tuple[Command, ...]:
        """Return the commands that make it fly its list from an item on, given the mode it is in."""
        ...

    def kept(self, step: Step, *, armed: bool | None, mode: int | None) -> bool:
        """Return whether a vehicle in this state does what a step that it acknowledged promised."""
        ...

    def streams(self) -> tuple[Command, ...]:
        """Return the commands that make it tell what a sortie needs to know."""
        ...

    def flying(self, mode: int | None) -> Flying:
        """Return what a mode means."""
        ...

    def mode_name(self, mode: int | None) -> str:
        """Return the name of a mode as its documentation has it."""
        ...

    def read_number(self, parameter: Parameter) -> float:
        """Return a parameter's value, however this autopilot writes whole numbers."""
        ...

    def wire_number(self, value: float, kind: int) -> float:
        """Return a value as it must be sent for a parameter of a kind."""
        ...
