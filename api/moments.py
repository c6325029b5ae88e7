"""Times as callers write them: with a zone, and of an age in which every zone can tell them."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)


def _in_range(at: datetime) -> datetime:
    """Return a time that lies between 1970 and 3000; at the ends of the calendar UTC cannot say it."""
    if not EARLIEST <= at < LATEST:
        raise ValueError("expected a time from 1970 to 2999")
    return at


Moment = Annotated[AwareDatetime, AfterValidator(_in_range)]
