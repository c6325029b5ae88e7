"""Putting a list on a vehicle by the fastest way it offers, with proof, as a machine without I/O.

Where a vehicle offers its list as a file, that takes seconds instead of a round
trip for each item: read the file, and if it is not ours write it and read it again.
Whatever goes wrong on that way, from "no such file" to silence, the list goes
item by item (`fleet/transfer.py`), which every vehicle understands.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from fleet import listfile
from fleet.autopilots import Autopilot
from fleet.checksum import checksum
from fleet.ftp import FileRead, FileResult, FileWrite
from fleet.messages import Item, ListKind, Transfer
from fleet.patience import Patience
from fleet.readback import Messages
from fleet.transfer import Upload, UploadResult

_TRIES_AT_FIRST = 6  # a vehicle that says nothing to this has no files after all
_WRITES = 3  # how often the file is written before the list goes item by item


class FileStage(StrEnum):
    """Where the way by file is."""

    LOOK = "reading the file"
    WRITE = "writing the file"
    PROVE = "reading the file back"


class FileUpload:
    """Puts a mission on board as a file; `result` is final, or `gave_up` says why this way is closed."""

    def __init__(self, items: Sequence[Item], autopilot: Autopilot, *, patience: Patience) -> None:
        self.items = tuple(items)
        self.stage = FileStage.LOOK
        self.result: UploadResult | None = None
        self.gave_up = ""
        self._autopilot = autopilot
        self._patience = patience
        self._path = listfile.PATHS[ListKind.MISSION]
        self._writes_left = _WRITES
        self._uploaded = False
        self._at: FileRead | FileWrite = self._reader(None)
        self._at.tries_to_open = _TRIES_AT_FIRST

    @property
    def sent(self) -> int:
        """How many items are written, for the progress line."""
        if not isinstance(self._at, FileWrite):
            return 0
        return self._at.written * len(self.items) // max(1, len(listfile.to_bytes(self.items)))

    def start(self, now: float) -> Messages:
        """Return the first messages: a look at what is on board already."""
        return self._at.start(now)

    def receive(self, message: Transfer, now: float) -> Messages:
        """Take in one message of the vehicle; return the messages to send."""
        return self._at.receive(message, now) + self._go_on(now)

    def tick(self, now: float) -> Messages:
        """Return what silence demands."""
        return self._at.tick(now) + self._go_on(now)

    def _reader(self, seq: int | None) -> FileRead:
        return FileRead(self._path, patience=self._patience, seq=seq, length_in=listfile.length_in)

    def _go_on(self, now: float) -> Messages:
        ended = self._at.result
        if ended is None or self.result is not None or self.gave_up:
            return []
        if self.stage is FileStage.WRITE:
            return self._written(ended, now)
        if not ended.done:
            self.gave_up = ended.reason
            return []
        problem = self._difference(ended.data)
        if problem is None:
            written = len(self.items) if self._uploaded else 0
            self.result = UploadResult(True, self._uploaded, written=written)
            return []
        return self._write(problem, now)

    def _written(self, ended: FileResult, now: float) -> Messages:
        if not ended.done and ended.missing:
            self.gave_up = ended.reason
            return []
        # Refused or not, what is on board now is what counts.
        self.stage = FileStage.PROVE
        self._at = self._reader(self._at.seq)
        return self._at.start(now)

    def _write(self, problem: str, now: float) -> Messages:
        if self._writes_left == 0:
            self.gave_up = problem
            return []
        self._writes_left -= 1
        self._uploaded = True
        self.stage = FileStage.WRITE
        self._at = FileWrite(
            self._path, listfile.to_bytes(self.items), patience=self._patience, seq=self._at.seq
        )
        return self._at.start(now)

    def _difference(self, data: bytes) -> str | None:
        held = listfile.from_bytes(data)
        if held is None:
            return "the file on board is not whole"
        if len(held) != len(self.items):
            return f"the vehicle holds {len(held)} of {len(self.items)} items"
        first, same = self._autopilot.first, self._autopilot.same
        pairs = zip(self.items[first:], held[first:], strict=True)
        wrong = next((sent.seq for sent, read in pairs if not same(sent, read)), None)
        return None if wrong is None else f"item {wrong} differs on board"


class Placement:
    """Puts a list on a vehicle and proves that it is there; by file where `files` says it has them.

    `known_id` is the opaque id that the vehicle gave this very list before.
    """

    def __init__(
        self,
        items: Sequence[Item],
        autopilot: Autopilot,
        *,
        files: bool = False,
        patience: Patience | None = None,
        kind: ListKind = ListKind.MISSION,
        known_id: int = 0,
    ) -> None:
        self.items = tuple(items)
        self.result: UploadResult | None = None
        self._by_file: FileUpload | None = None
        patience = patience or Patience()
        computed = autopilot.list_id(self.items)
        self._checksum = checksum(self.items, autopilot)
        ids = frozenset(i for i in (computed, known_id) if i)
        is_mission = kind is ListKind.MISSION
        self._by_item = Upload(
            self.items,
            same=autopilot.same,
            first=autopilot.first if is_mission else 0,
            window=autopilot.window,
            patience=patience,
            kind=kind,
            known_ids=ids,
            partial=autopilot.takes_parts and is_mission,
        )
        if files and autopilot.has_list_file and is_mission and self.items:
            self._by_file = FileUpload(self.items, autopilot, patience=patience)

    @property
    def stage(self) -> StrEnum:
        """Where it is, for the progress line."""
        return self._by_file.stage if self._by_file is not None else self._by_item.stage

    @property
    def sent(self) -> int:
        """How many items have gone out, for the progress line."""
        return self._by_file.sent if self._by_file is not None else self._by_item.sent

    def start(self, now: float) -> Messages:
        """Return the first messages."""
        return self._by_file.start(now) if self._by_file is not None else self._by_item.start(now)

    def receive(self, message: Transfer, now: float) -> Messages:
        """Take in one message of the vehicle; return the messages to send."""
        if self._by_file is None:
            return self._noted(self._by_item.receive(message, now))
        return self._file_went_on(self._by_file, self._by_file.receive(message, now), now)

    def tick(self, now: float) -> Messages:
        """Return what silence demands."""
        if self._by_file is None:
            return self._noted(self._by_item.tick(now))
        return self._file_went_on(self._by_file, self._by_file.tick(now), now)

    def _file_went_on(self, by_file: FileUpload, out: Messages, now: float) -> Messages:
        self.result = self._stamped(by_file.result)
        if by_file.gave_up:
            self._by_file = None
            return out + self._by_item.start(now)
        return out

    def _noted(self, out: Messages) -> Messages:
        result = self._by_item.result
        if self.result is None:
            self.result = self._stamped(result)
        return out

    def _stamped(self, result: UploadResult | None) -> UploadResult | None:
        """Return a result with the checksum of what was proven."""
        if result is None or not result.verified:
            return result
        return replace(result, checksum=self._checksum)
