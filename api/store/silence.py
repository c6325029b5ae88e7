"""What is known of a place that somebody tells of: nothing found there is not the same as not seen."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.store.coverage import LOOKED_WITHIN, WHOLE, Visit, last_visit
from api.store.models import IncidentRow
from missions.geo import LatLon
from missions.model import Hazard
from missions.words import LANGUAGES, text
from vision.model import Ellipse


async def silence(session: AsyncSession, row: IncidentRow, *, before: datetime) -> dict[str, str]:
    """Return in every language what a drone saw of an incident's place before somebody told of it."""
    ellipse = Ellipse(row.major_m, row.minor_m, row.bearing_deg)
    place = LatLon(row.lat_deg, row.lon_deg)
    visit = await last_visit(session, place, ellipse, Hazard(row.hazard), before=before)
    return {language: worded(visit, before, language) for language in LANGUAGES}


def worded(visit: Visit | None, before: datetime, language: str) -> str:
    """Return what the last visit to a place says of it."""
    if visit is None:
        hours = f"{LOOKED_WITHIN.total_seconds() / 3600:.0f}"
        return text("witness.never_looked", language, hours=hours)
    minutes = max(0, round((before - visit.at).total_seconds() / 60))
    sensor = text(f"witness.sensor.{visit.sensor}", language)
    if not visit.is_clean:
        return text("witness.looked_found", language, minutes=minutes, sensor=sensor)
    key = "witness.looked_clean" if visit.share >= WHOLE else "witness.looked_partly"
    return text(key, language, minutes=minutes, sensor=sensor, percent=int(visit.share * 100))
