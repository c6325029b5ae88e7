"""Rows `vehicles` of `gridpatrol bench fleet`."""

from collections.abc import Iterator

from missions.measure import Job, Row


def rows(job: Job) -> Iterator[Row]:
    """Yield the rows of this group."""
    yield from ()
