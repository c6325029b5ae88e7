"""What this gateway has promised, on disk before it is acted on.

SQLite with `synchronous=FULL`: a command accepted, a stage entered and a frame
spooled survive `kill -9` and a power cut. After a restart the journal says
which sorties were open and which frames and events still have to be handed
over. Used from one thread; a commit takes about a millisecond.
"""

import json
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleet.order import SortieOrder, order_from
from fleet.stages import Memory, Stage

_SCHEMA = """
CREATE TABLE IF NOT EXISTS commands (id TEXT PRIMARY KEY, reply TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS sorties (
    id TEXT PRIMARY KEY, drone TEXT NOT NULL, asked TEXT NOT NULL, stage TEXT NOT NULL,
    counted TEXT NOT NULL DEFAULT '{}', open INTEGER NOT NULL DEFAULT 1,
    memory TEXT NOT NULL DEFAULT '{}', proven TEXT) STRICT;
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, body TEXT NOT NULL,
    handed_over INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS frames (
    id TEXT PRIMARY KEY, sortie TEXT NOT NULL, camera INTEGER NOT NULL, picture INTEGER NOT NULL,
    meta TEXT NOT NULL, path TEXT NOT NULL, accepted INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX IF NOT EXISTS frames_by_sortie ON frames (sortie, camera, picture);
"""


@dataclass(frozen=True, slots=True)
class OpenSortie:
    """A sortie that was under way when the journal was last written."""

    order: SortieOrder
    stage: Stage
    counted: dict[int, int]
    memory: Memory = field(default_factory=Memory)


@dataclass(frozen=True, slots=True)
class FlownSortie:
    """A sortie that is over, and which of its shots need not be taken again."""

    order: SortieOrder
    proven: frozenset[int]


# Columns that journals written by earlier versions lack.
_ADDED = (("memory", "TEXT NOT NULL DEFAULT '{}'"), ("proven", "TEXT"))


@dataclass(frozen=True, slots=True)
class Spooled:
    """A frame on this gateway's disk that the hub has not accepted yet."""

    id: str
    meta: dict[str, Any]
    path: Path


class Journal:
    """The journal of one gateway in one file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        known = {row[1] for row in self._db.execute("PRAGMA table_info(sorties)")}
        for column, kind in _ADDED:
            if column not in known:
                self._db.execute(f"ALTER TABLE sorties ADD COLUMN {column} {kind}")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # --- commands ---

    def reply_to(self, command_id: str) -> dict[str, Any] | None:
        """Return what was answered to a command of this id, None if it is new."""
        return self._one("SELECT reply FROM commands WHERE id = ?", command_id)

    def note_reply(self, command_id: str, reply: Mapping[str, Any]) -> None:
        """Keep the answer to a command."""
        self._db.execute("INSERT OR IGNORE INTO commands VALUES (?, ?)", (command_id, json.dumps(reply)))

    def accept(self, command_id: str, reply: Mapping[str, Any], order: SortieOrder) -> None:
        """Keep the answer to a command and the sortie it starts, both or neither."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self.note_reply(command_id, reply)
            self._db.execute(
                "INSERT INTO sorties (id, drone, asked, stage) VALUES (?, ?, ?, ?)",
                (order.id, order.drone, json.dumps(order.to_json()), Stage.PREFLIGHT),
            )

    # --- sorties ---

    def has_sortie(self, sortie: str) -> bool:
        """Return whether a sortie of this id was ever started here."""
        return self._db.execute("SELECT 1 FROM sorties WHERE id = ?", (sortie,)).fetchone() is not None

    def note_stage(self, sortie: str, stage: Stage) -> None:
        """Keep the stage a sortie enters; a stage that is over closes it."""
        self._db.execute(
            "UPDATE sorties SET stage = ?, open = ? WHERE id = ?", (stage, int(not stage.is_over), sortie)
        )

    def note_counted(self, sortie: str, counted: Mapping[int, int]) -> None:
        """Keep how many pictures each camera had taken before a sortie."""
        self._db.execute("UPDATE sorties SET counted = ? WHERE id = ?", (json.dumps(counted), sortie))

    def note_memory(self, sortie: str, memory: Memory) -> None:
        """Keep what a sortie's machine must not forget."""
        self._db.execute("UPDATE sorties SET memory = ? WHERE id = ?", (json.dumps(memory.to_json()), sortie))

    def note_proven(self, sortie: str, shots: Collection[int]) -> None:
        """Keep which shots of a sortie need not be taken again."""
        self._db.execute("UPDATE sorties SET proven = ? WHERE id = ?", (json.dumps(sorted(shots)), sortie))

    def open_sorties(self) -> list[OpenSortie]:
        """Return the sorties that were under way."""
        rows = self._db.execute(
            "SELECT asked, stage, counted, memory FROM sorties WHERE open = 1 ORDER BY rowid"
        )
        return [
            OpenSortie(
                order_from(json.loads(asked)),
                Stage(stage),
                {int(c): n for c, n in json.loads(counted).items()},
                Memory.from_json(json.loads(memory)),
            )
            for asked, stage, counted, memory in rows
        ]

    def last_flown(self) -> FlownSortie | None:
        """Return the sortie that was begun last and is over, None if there is none."""
        row = self._db.execute("SELECT id FROM sorties WHERE open = 0 ORDER BY rowid DESC").fetchone()
        return None if row is None else self.flown(str(row[0]))

    def flown(self, sortie: str) -> FlownSortie | None:
        """Return a sortie that is over, None if there is none of this id or it is still under way."""
        row = self._db.execute(
            "SELECT asked, proven FROM sorties WHERE id = ? AND open = 0", (sortie,)
        ).fetchone()
        if row is None:
            return None
        return FlownSortie(order_from(json.loads(row[0])), frozenset(json.loads(row[1] or "[]")))

    # --- events to be handed over ---

    def note_event(self, event: Mapping[str, Any]) -> None:
        """Keep a sortie's event until it is handed over."""
        self._db.execute(
            "INSERT OR IGNORE INTO events (id, body) VALUES (?, ?)", (event["id"], json.dumps(event))
        )

    def events_to_hand_over(self) -> list[dict[str, Any]]:
        """Return the events nobody has taken yet, in their order."""
        rows = self._db.execute("SELECT body FROM events WHERE handed_over = 0 ORDER BY number")
        return [json.loads(body) for (body,) in rows]

    def event_handed_over(self, event_id: str) -> None:
        """Note that an event was taken."""
        self._db.execute("UPDATE events SET handed_over = 1 WHERE id = ?", (event_id,))

    # --- frames ---

    def spool(self, meta: Mapping[str, Any], path: Path, *, camera: int, picture: int) -> None:
        """Keep a frame that lies on disk until the hub accepts it."""
        self._db.execute(
            "INSERT OR IGNORE INTO frames (id, sortie, camera, picture, meta, path)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (meta["id"], meta["sortie"], camera, picture, json.dumps(meta), str(path)),
        )

    def has_name(self, sortie: str, name: str) -> bool:
        """Return whether a picture of a sortie bears a name."""
        query = "SELECT meta FROM frames WHERE sortie = ? AND json_extract(meta, '$.name') = ?"
        return self._one(query, sortie, name) is not None

    def has_picture(self, sortie: str, camera: int, picture: int) -> bool:
        """Return whether a camera's picture of a sortie is on disk or was handed over."""
        found = self._db.execute(
            "SELECT 1 FROM frames WHERE sortie = ? AND camera = ? AND picture = ?", (sortie, camera, picture)
        )
        return found.fetchone() is not None

    def frames_to_hand_over(self) -> list[Spooled]:
        """Return the frames the hub has not accepted yet."""
        rows = self._db.execute("SELECT id, meta, path FROM frames WHERE accepted = 0 ORDER BY rowid")
        return [Spooled(id_, json.loads(meta), Path(path)) for id_, meta, path in rows]

    def frame_accepted(self, frame_id: str) -> None:
        """Note that the hub has a frame for good."""
        self._db.execute("UPDATE frames SET accepted = 1 WHERE id = ?", (frame_id,))

    def _one(self, query: str, *values: object) -> dict[str, Any] | None:
        row = self._db.execute(query, values).fetchone()
        return None if row is None else dict(json.loads(row[0]))
