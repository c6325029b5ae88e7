"""Tables of witnesses: columns by any of the names they go by, numbers that say where they are wrong."""

import math
from collections.abc import Iterable, Mapping, Sequence

from missions.errors import InputWrong


def named(
    header: Iterable[str], names: Mapping[str, Sequence[str]], *, needed: Sequence[str]
) -> dict[str, str]:
    """Return which column holds what, by our names; a column we do not know is left alone.

    Raises:
        InputWrong: a needed one is not there.
    """
    given = {column.strip().lstrip("\ufeff").lower(): column for column in header}
    found = {
        ours: given[name] for ours, theirs in names.items() for name in reversed(theirs) if name in given
    }
    if missing := [ours for ours in needed if ours not in found]:
        expected = "; ".join(" or ".join(names[ours]) for ours in missing)
        raise InputWrong(f"header: found {', '.join(given) or 'nothing'}, expected also {expected}")
    return found


def number(row: Mapping[str, str], column: str) -> float:
    """Return a finite number.

    Raises:
        InputWrong: it is none.
    """
    text = (row.get(column) or "").strip()
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputWrong(f"{column}: found {text!r}, expected a number")
    return value


def optional_number(row: Mapping[str, str], column: str | None) -> float | None:
    """Return a number, None where there is none.

    Raises:
        InputWrong: there is something that is no number.
    """
    return number(row, column) if column and (row.get(column) or "").strip() else None
