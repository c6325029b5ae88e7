"""A picture's custody log as a chain of hashes: no line can be changed, left out or put in unseen. Pure.

The first link is the picture's hash at capture, so a log belongs to its picture. Each line has a digest,
over what it says and a random number, and each link is the hash of the link before it and that digest.
A reader who has no right to know who did something is given the digest in place of the line: the chain
can be followed all the same, and the random number keeps the digest from being guessed.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

WITHHELD = "withheld: another agency's"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what was done to a picture, when, and by whom."""

    at: datetime
    act: str
    by: str
    nonce: str

    @property
    def digest(self) -> str:
        """The SHA-256 of what the line says."""
        said = [self.at.isoformat(), self.act, self.by, self.nonce]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def new_nonce() -> str:
    """Return a random number that keeps a line's digest from being guessed."""
    return secrets.token_hex(16)


def link(before: str, digest: str) -> str:
    """Return the link after another one; the first follows the picture's hash at capture."""
    return hashlib.sha256(f"{before} {digest}".encode()).hexdigest()


def told(line: Line, chain: str) -> dict[str, str]:
    """Return a line as an evidence package carries it."""
    return {"at": line.at.isoformat(), "act": line.act, "by": line.by, "nonce": line.nonce, "chain": chain}


def withheld(line: Line, chain: str) -> dict[str, str]:
    """Return a line for those who may not know who did what; the chain is whole without it."""
    return {"at": line.at.isoformat(), "act": WITHHELD, "digest": line.digest, "chain": chain}


def fault(sha256_at_capture: str, lines: Sequence[Mapping[str, Any]]) -> str | None:
    """Return what is wrong with a log as a package carries it, None when each line follows another."""
    before = sha256_at_capture
    for number, line in enumerate(lines, 1):
        try:
            digest = line["digest"] if line["act"] == WITHHELD else _read(line).digest
            follows = line["chain"] == link(before, digest)
            before = line["chain"]
        except (KeyError, TypeError, ValueError) as error:
            return f"line {number} cannot be read: {error!r}"
        if not follows:
            return f"line {number} does not follow the one before it"
    return None


def _read(line: Mapping[str, Any]) -> Line:
    return Line(datetime.fromisoformat(line["at"]), line["act"], line["by"], line["nonce"])
