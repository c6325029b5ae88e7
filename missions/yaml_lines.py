"""YAML with the line of everything in it, so that an error can name its place."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from missions.errors import InputWrong, SiteWrong

Keys = tuple[str | int, ...]


MOST_MB = 8.0


class Lined:
    """A YAML document that remembers where each of its keys stands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _refuse_huge(path)
        try:
            self.root: Any = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputWrong(f"{path}: cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise InputWrong(f"{path}: found bytes that are not UTF-8, expected a YAML text") from None
        except MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            problem = str(error.problem).rpartition("found ")[2]
            raise SiteWrong(f"{path}:{line}", problem, "well-formed YAML") from None
        except YAMLError as error:  # a character that no YAML text may hold
            found = str(error).partition("\n")[0]
            raise SiteWrong(str(path), found, "well-formed YAML") from None

    def line(self, keys: Sequence[str | int]) -> int:
        """Return the line, counted from 1, of the deepest part of a key path that exists."""
        node, line = self.root, getattr(getattr(self.root, "lc", None), "line", 0) + 1
        for key in keys:
            if isinstance(node, CommentedMap) and key in node:
                line = node.lc.key(key)[0] + 1
            elif isinstance(node, CommentedSeq) and isinstance(key, int) and key < len(node):
                line = node.lc.item(key)[0] + 1
            else:
                break
            node = node[key]
        return line

    def place(self, *keys: str | int) -> str:
        """Return "site.yaml:12 (docks, 1, lat_deg)"."""
        inside = f" ({'.'.join(str(k) for k in keys)})" if keys else ""
        return f"{self.path}:{self.line(keys)}{inside}"

    def wrong(self, keys: Sequence[str | int], *, found: str, expected: str) -> SiteWrong:
        """Return the error that names this place."""
        return SiteWrong(self.place(*keys), found, expected)


def _refuse_huge(path: Path) -> None:
    """Return if a file is one that a person or a program may mean as a site.

    Raises:
        InputWrong: reading it would take many minutes, and planning it hours.
    """
    try:
        size_mb = path.stat().st_size / 1e6
    except OSError:
        return  # reading it will say why
    if size_mb > MOST_MB:
        raise InputWrong(
            f"{path}: found {size_mb:.0f} MB, expected {MOST_MB:g} MB at most (some 20,000 demands): "
            "make several sites of it"
        )
