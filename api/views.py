"""Rows as the JSON that leaves the service; the same shape in answers, events and messages."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from api import schemas
from api.discretion import NOTHING, is_rough, told_ellipse, told_place
from api.store.models import (
    AlertRow,
    DeliveryRow,
    DetectionRow,
    DockRow,
    DroneRow,
    FrameRow,
    IncidentRow,
    ObservationRow,
    PlanRow,
    SortieRow,
)
from api.store.tables.confirming import CandidateRow
from api.store.tables.witnesses import StandingRow
from missions.geo import LatLon
from missions.model import Hazard
from vision import told
from vision.model import Ellipse

_TOLD_ROUGHLY = {"lat_deg", "lon_deg", "ellipse", "frame", "facts", "said"}


def plain(model: BaseModel) -> dict[str, Any]:
    """Return a model as JSON values."""
    return model.model_dump(mode="json")


def dock(row: DockRow) -> schemas.DockOut:
    return schemas.DockOut(
        id=row.id,
        name=row.name,
        lat_deg=row.lat_deg,
        lon_deg=row.lon_deg,
        elevation_m=row.elevation_m,
        door=row.door,
        charger=row.charger,
        drones=row.drones,
        updated_at=row.updated_at,
    )


def drone(row: DroneRow) -> schemas.DroneOut:
    return schemas.DroneOut(
        **{name: getattr(row, name) for name in schemas.DroneOut.model_fields},
    )


def plan(row: PlanRow, sorties: int) -> schemas.PlanOut:
    return schemas.PlanOut(
        id=row.id,
        made_at=row.made_at,
        sorties=sorties,
        shared_tasks=row.shared_tasks,
        flight_s=row.flight_s,
        energy_wh=row.energy_wh,
        unserved=[schemas.UnservedOut(**left) for left in row.unserved],
    )


def sortie(row: SortieRow) -> schemas.SortieOut:
    """Return a sortie; its steps must be loaded."""
    return schemas.SortieOut(
        id=row.id,
        plan=row.plan,
        dock=row.dock,
        drone=row.drone,
        state=row.state,
        agencies=row.agencies,
        flight_s=row.flight_s,
        started_at=row.started_at,
        landed_at=row.landed_at,
        landed_from_dock_m=row.landed_from_dock_m,
        follows=_follows(row.follows) if row.follows else None,
        shots=schemas.ShotCount(planned=row.shots_planned, taken=row.shots_taken, files=row.shots_files),
        steps=[schemas.StepOut(at=s.at, state=s.state, evidence=s.evidence) for s in row.steps],
        path=row.path,
    )


def _follows(mover: dict[str, Any]) -> schemas.FollowsOut:
    """Return what a camera follows; an animal where it is told of."""
    found = schemas.FollowsOut.model_validate(mover)
    place = told_place(
        "wildlife" if found.kind == "animal" else found.kind, LatLon(found.lat_deg, found.lon_deg)
    )
    return found.model_copy(update={"lat_deg": place.lat_deg, "lon_deg": place.lon_deg})


def ellipse(row: IncidentRow | ObservationRow, knows: frozenset[Hazard] = NOTHING) -> schemas.EllipseOut:
    """Return the ellipse that is told to one who knows the places of some hazards."""
    seen = told_ellipse(row.hazard, Ellipse(row.major_m, row.minor_m, row.bearing_deg), knows)
    return schemas.EllipseOut(major_m=seen.major_m, minor_m=seen.minor_m, bearing_deg=seen.bearing_deg)


def incident(
    row: IncidentRow,
    agencies: Sequence[str],
    standing: StandingRow | None = None,
    *,
    knows: frozenset[Hazard] = NOTHING,
) -> schemas.IncidentOut:
    """Return an incident as those see it who may know that these agencies were told.

    `standing` says whose word it rests on; our drones' own incidents have none. `knows` are the hazards whose
    exact places they are trusted with (`api.discretion`).
    """
    place = told_place(row.hazard, LatLon(row.lat_deg, row.lon_deg), knows)
    facts = {} if is_rough(row.hazard, knows) else told.shown(row.facts or {})
    return schemas.IncidentOut(
        id=row.id,
        hazard=row.hazard,
        severity=row.severity,
        state=row.state,
        place_name=row.place_name,
        lat_deg=place.lat_deg,
        lon_deg=place.lon_deg,
        ellipse=ellipse(row, knows),
        confidence=row.confidence,
        area_m2=row.area_m2,
        temp_max_c=row.temp_max_c,
        opened_at=row.opened_at,
        seen_at=row.seen_at,
        looks=row.looks,
        frame=None if is_rough(row.hazard, knows) else row.best_frame,
        agencies=list(agencies),
        standing=standing.standing if standing else None,
        standing_reason=standing.reason if standing else None,
        sources=standing.sources if standing else [],
        note=standing.note if standing else None,
        facts=facts,
        said=told.in_all_languages(facts),
    )


def exact(row: IncidentRow, knows: frozenset[Hazard]) -> dict[str, Any]:
    """Return what of an incident is told otherwise to one who knows its exact place than to others."""
    return incident(row, (), knows=knows).model_dump(mode="json", include=_TOLD_ROUGHLY)


def observation(row: ObservationRow, *, knows: frozenset[Hazard] = NOTHING) -> schemas.ObservationOut:
    """Return a look at an incident, its place as `incident` tells it."""
    place = told_place(row.hazard, LatLon(row.lat_deg, row.lon_deg), knows)
    return schemas.ObservationOut(
        id=row.id,
        frame=None if is_rough(row.hazard, knows) else row.frame,
        confidence=row.confidence,
        lat_deg=place.lat_deg,
        lon_deg=place.lon_deg,
        ellipse=ellipse(row, knows),
        seen_at=row.seen_at,
        detector=row.detector,
        area_m2=row.area_m2,
        temp_max_c=row.temp_max_c,
        decision=row.decision,
        reason=row.reason,
        kind=row.kind,
        sources=row.sources or [row.detector],
        power_w=row.power_w,
        facts={} if is_rough(row.hazard, knows) else told.shown(row.facts or {}),
    )


def confirmation(row: CandidateRow) -> schemas.ConfirmationOut:
    return schemas.ConfirmationOut(
        drone=row.drone,
        sensor=row.sensor,
        verdict=row.verdict,
        looks=row.looks,
        hits=row.hits,
        misses=row.looks - row.hits,
        seen_at=row.seen_at,
    )


def incident_feature(seen: schemas.IncidentOut) -> dict[str, Any]:
    """Return an incident as a GeoJSON feature."""
    properties = plain(seen)
    place = [properties.pop("lon_deg"), properties.pop("lat_deg")]
    return {
        "type": "Feature",
        "id": properties["id"],
        "geometry": {"type": "Point", "coordinates": place},
        "properties": properties,
    }


def alert(row: AlertRow) -> schemas.AlertOut:
    """Return an alert; its deliveries must be loaded."""
    return schemas.AlertOut(
        id=row.id,
        incident=row.incident,
        agency=row.agency,
        state=row.state,
        hazard=row.hazard,
        severity=row.severity,
        title=row.title,
        place_name=row.place_name,
        raised_at=row.raised_at,
        acknowledged_by=row.acknowledged_by,
        shelved_until=row.shelved_until,
        deliveries=[delivery(d) for d in row.deliveries],
    )


def delivery(row: DeliveryRow) -> schemas.DeliveryOut:
    return schemas.DeliveryOut(
        channel=row.channel,
        state=row.state,
        attempts=row.attempts,
        last_error=row.last_error,
        delivered_at=row.delivered_at,
    )


def detection(row: DetectionRow) -> schemas.DetectionOut:
    return schemas.DetectionOut(
        hazard=row.hazard,
        confidence=row.confidence,
        box_px=row.box,
        temp_max_c=row.temp_max_c,
        background_c=row.background_c,
        detector=row.detector,
    )


def frame(
    row: FrameRow, detections: Sequence[DetectionRow], *, knows: frozenset[Hazard] = NOTHING
) -> schemas.FrameOut:
    """Return a picture with what was found in it, but for what is told only roughly."""
    return schemas.FrameOut(
        id=row.id,
        sortie=row.sortie,
        drone=row.drone,
        shot=row.shot,
        sensor=row.sensor,
        taken_at=row.taken_at,
        name=row.name,
        bytes=row.bytes,
        analysed_at=row.analysed_at,
        skipped=row.skipped,
        detections=[detection(d) for d in detections if not is_rough(d.hazard, knows)],
    )
