"""Tables as spreadsheet programs write them."""

import csv
import io
from pathlib import Path

from missions.errors import InputWrong


def read(path: Path, data: bytes | None = None) -> tuple[list[str], list[dict[str, str]]]:
    """Return the columns and rows of a table, `data` if it is read already; comma, semicolon or tab apart.

    Raises:
        InputWrong: it is no table, or neither in UTF-8 nor in GB 18030.
    """
    raw = path.read_bytes() if data is None else data
    try:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("gb18030")
        separator = max(",;\t", key=text.partition("\n")[0].count)
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
        return list(rows.fieldnames or ()), list(rows)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputWrong(f"{path}: no table that can be read: {error}") from None
