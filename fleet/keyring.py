"""Where signing keys and the last time stamp are kept: a file that its owner alone may read.

    {"stamp": 36912345678901,
     "links": {"udpin:0.0.0.0:14550": {"1": {"active": "…64 hex digits…", "offered": null}}}}

A key belongs to a link and a system id, as a vehicle does: two links may each carry a system 1.
Written to a new file that takes the old one's place, so that a crash leaves one of the two whole.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.errors import KeysWrong
from fleet.signing import Key, Keys, Stamps
from missions.clock import SystemClock

_PRIVATE = 0o600


class Keyring:
    """All keys of a gateway's vehicles, by link and system id."""

    def __init__(self, path: Path) -> None:
        """Read the file, if there is one.

        Raises:
            KeysWrong: it cannot be read; says where, never what stands there.
        """
        self.path = path
        found = _read(path)
        self._links = {
            link: {int(system): _keys(pair) for system, pair in keys.items()}
            for link, keys in found["links"].items()
        }
        self._stamp = int(found["stamp"])
        self.stamps = Stamps(SystemClock().now, keep=self._keep_stamp, kept=self._stamp)

    def on(self, link: str) -> dict[int, Keys]:
        """Return the keys of a link's vehicles by system id; what is changed in it is kept by `keep`."""
        return self._links.setdefault(link, {})

    def of(self, link: str, system: int) -> Keys:
        """Return the keys of a vehicle, empty ones for one that has none yet."""
        return self.on(link).setdefault(system, Keys())

    def keep(self) -> None:
        """Put everything on disk."""
        links = {
            link: {str(system): _to_json(keys) for system, keys in vehicles.items()}
            for link, vehicles in self._links.items()
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_name(self.path.name + ".new")
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump({"stamp": self._stamp, "links": links}, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)

    def _keep_stamp(self, stamp: int) -> None:
        self._stamp = stamp
        self.keep()


def _read(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return {"stamp": 0, "links": {}}
    except (OSError, UnicodeDecodeError):
        raise KeysWrong(f"{path} cannot be read as a file of signing keys") from None
    try:
        value = json.loads(text)
        if not isinstance(value["links"], dict) or not isinstance(value["stamp"], int):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        raise KeysWrong(f"{path} is no file of signing keys: it needs a stamp and links") from None
    found: Mapping[str, Any] = value
    return found


def _keys(pair: Mapping[str, Any]) -> Keys:
    return Keys(_key(pair.get("active")), _key(pair.get("offered")), bool(pair.get("stopping")))


def _to_json(keys: Keys) -> dict[str, Any]:
    return {
        "active": keys.active.to_hex() if keys.active is not None else None,
        "offered": keys.offered.to_hex() if keys.offered is not None else None,
        "stopping": keys.stopping,
    }


def _key(text: str | None) -> Key | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise KeysWrong("a signing key is 64 hexadecimal digits, and one in the file is not")
    return Key(bytes.fromhex(text))
