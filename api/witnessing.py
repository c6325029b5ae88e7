"""Files of other witnesses into the database: the work behind `gridpatrol witness`.

Works on a data folder's database with nothing else running, and beside a running service: the store lets
one writer of incidents in at a time, and the service finds what is new in the database.
"""

import gc
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from api.pictures import open_pictures
from api.settings import Settings
from api.store import readings
from api.store.engine import Database, open_database
from api.store.readings import Counts
from api.store.recording import Imported
from api.store.witnesses import record_sightings
from missions.errors import InputWrong
from missions.model import Site
from missions.site import load_site
from vision.witnesses.camera import read_cameras
from vision.witnesses.firms import read_firms
from vision.witnesses.gauge import read_gauges
from vision.witnesses.hotspots import columns_from, read_hotspots
from vision.witnesses.report import MOST_PHOTO_BYTES
from vision.witnesses.report_file import read_reports
from vision.witnesses.sighting import Refused
from vision.witnesses.weather import read_weather

MOST_FILE_BYTES = 512 * 2**20


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one file."""

    read: int
    new: int
    updated: int
    masked: int
    opened: int = 0
    joined: int = 0
    by_source: dict[str, int] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()
    repaired: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the one JSON value of the command."""
        return {
            "read": self.read,
            "new": self.new,
            "updated": self.updated,
            "masked": self.masked,
            "incidents": {"opened": self.opened, "joined": self.joined, "by_source": self.by_source},
            "refused": [{"line": r.line, "reason": r.reason} for r in self.refused],
            "repaired": list(self.repaired),
        }


@dataclass(frozen=True, slots=True)
class Desk:
    """Where files are taken in: the open database, the site, and the time."""

    database: Database
    site: Site
    now: datetime
    pictures_at: str
    public_url: str | None

    @property
    def zone(self) -> ZoneInfo:
        """The zone of times that name none."""
        return ZoneInfo(self.site.timezone)

    async def firms(self, path: Path) -> Told:
        """Take in a NASA FIRMS file."""
        with _opened(path) as lines, _uncollected():
            found = read_firms(lines, now=self.now)
            told = await self._record(found.sightings)
        return _told(found.rows, told, found.refused, found.sightings)

    async def hotspots(self, path: Path, mapping: Path) -> Told:
        """Take in any hot-spot file whose columns a mapping file names."""
        told = _yaml(mapping)
        delimiter, encoding = str(told.pop("delimiter", ",")), str(told.pop("encoding", "utf-8-sig"))
        columns = columns_from(told)
        with _opened(path, encoding) as lines:
            found = read_hotspots(lines, columns, now=self.now, delimiter=delimiter)
        return _told(found.rows, await self._record(found.sightings), found.refused, found.sightings)

    async def cameras(self, path: Path) -> Told:
        """Take in what fixed cameras saw."""
        with _opened(path) as lines:
            found = read_cameras(lines, zone=self.zone, now=self.now, near=self.site.origin)
        return _told(found.rows, await self._record(found.sightings), found.refused, found.sightings)

    async def reports(self, path: Path) -> Told:
        """Take in reports and patrol records; a photo is looked for beside the file."""
        reports, refused = read_reports(
            _text(path), zone=self.zone, now=self.now, near=self.site.origin, photo_of=_photos(path.parent)
        )
        pictures = open_pictures(self.pictures_at)
        for report in reports:
            if report.photo is not None:
                await pictures.put(f"reports/{report.sighting.id}.jpg", report.photo)
        sightings = [report.sighting for report in reports]
        return _told(len(reports) + len(refused), await self._record(sightings), refused, sightings)

    async def gauges(self, path: Path) -> Told:
        """Take in gauge readings: all are kept, those at the warning level and over it tell of a flood."""
        with _opened(path) as lines:
            found = read_gauges(lines, zone=self.zone, now=self.now, near=self.site.origin)
        async with self.database.write() as session:
            counts = await readings.keep_levels(session, found.readings)
            told = await record_sightings(
                session, found.sightings, site=self.site, now=self.now, public_url=self.public_url
            )
        return _of_readings(found.rows, counts, found.refused, told)

    async def weather(self, path: Path) -> Told:
        """Take in weather, with the fire-weather index of each day."""
        async with self.database.write() as session:
            remembered = await readings.codes(session)
            with _opened(path) as lines:
                found = read_weather(
                    lines, zone=self.zone, now=self.now, near=self.site.origin, remembered=remembered
                )
            counts = await readings.keep_days(session, found.days)
        return _of_readings(found.rows, counts, found.refused, None)

    async def masks(self, path: Path) -> Told:
        """Take in a list of places that are always hot."""
        with _opened(path) as lines:
            rows, refused = readings.read_known(lines, zone=self.zone, near=self.site.origin)
        async with self.database.write() as session:
            counts = await readings.keep_known(session, rows)
        return _of_readings(len(rows) + len(refused), counts, refused, None)

    async def _record(self, sightings: Sequence[Any]) -> Imported:
        async with self.database.write() as session:
            return await record_sightings(
                session, sightings, site=self.site, now=self.now, public_url=self.public_url
            )


async def take_in(settings: Settings, work: Callable[[Desk], Any]) -> Told:
    """Return what came of one file, worked on in the settings' database.

    Raises:
        InputWrong: the file, the site or a setting cannot be used.
    """
    site = load_site(settings.site)
    settings.data.mkdir(parents=True, exist_ok=True)
    database = await open_database(settings.database)
    try:
        desk = Desk(
            database, site, settings.make_clock().now(), settings.pictures_at, settings.public_url or None
        )
        told: Told = await work(desk)
        return told
    finally:
        await database.close()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: tens of thousands of rows are made and none is dropped."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _told(rows: int, imported: Imported, refused: Sequence[Refused], sightings: Sequence[Any]) -> Told:
    return Told(
        read=rows,
        new=imported.new,
        updated=imported.updated,
        masked=imported.masked,
        opened=imported.opened,
        joined=imported.joined,
        by_source=imported.incidents,
        refused=tuple(refused),
        repaired=tuple(f"{s.source}, {s.seen_at.isoformat()}: {note}" for s in sightings for note in s.notes),
    )


def _of_readings(rows: int, counts: Counts, refused: Sequence[Refused], told: Imported | None) -> Told:
    return Told(
        read=rows,
        new=counts.new,
        updated=counts.updated,
        masked=0,
        opened=told.opened if told else 0,
        joined=told.joined if told else 0,
        by_source=told.incidents if told else {},
        refused=tuple(refused),
        repaired=tuple(counts.repaired),
    )


def _opened(path: Path, encoding: str = "utf-8-sig") -> Any:
    _check(path)
    try:
        return path.open(encoding=encoding, errors="replace", newline="")
    except LookupError:
        raise InputWrong(f"mapping: found encoding {encoding!r}, which is not known") from None


def _text(path: Path) -> str:
    _check(path)
    return path.read_text("utf-8-sig", errors="replace")


def _check(path: Path) -> None:
    if not path.is_file():
        raise InputWrong(f"{path}: found no file, expected one to read")
    if path.stat().st_size > MOST_FILE_BYTES:
        raise InputWrong(
            f"{path}: found {path.stat().st_size >> 20} MB, at most {MOST_FILE_BYTES >> 20} MB are read"
        )


def _photos(folder: Path) -> Callable[[str], bytes | None]:
    """Return how a report's photo is found: beside the file and nowhere else."""

    def photo(name: str) -> bytes | None:
        if "://" in name:
            return None  # fetched by nobody: outbound connections are off
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            raise InputWrong(f"photo: found no file {name!r} beside the reports")
        with path.open("rb") as file:
            return file.read(10 * MOST_PHOTO_BYTES)  # enough to say how far it is over the limit

    return photo


def _yaml(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(_text(path)) if path.suffix == ".json" else YAML(typ="safe").load(_text(path))
    except (ValueError, YAMLError) as error:
        raise InputWrong(f"{path}: {error}") from None
    if not isinstance(value, dict):
        raise InputWrong(f"{path}: found no mapping, expected one (column names by what they hold)")
    return value
