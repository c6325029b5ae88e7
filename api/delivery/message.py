"""The message an agency's program receives: CloudEvents 1.0 in structured JSON.

`id` is the delivery's and stays the same on every try, so that a receiver that
has seen it can drop the repeat. Standard Webhooks asks for `type`, `time`stamp
and `data`, which CloudEvents names alike, and for less than 20 kB.
"""

import json
from datetime import datetime
from typing import Any

from api.alerts import NotifyReason
from api.analysis import ring_to_json
from api.schemas import IncidentOut
from api.shapes import ellipse_ring
from api.store.models import AlertRow
from missions.geo import LatLon
from vision.model import Ellipse

CONTENT_TYPE = "application/cloudevents+json"

_KINDS = {
    NotifyReason.FIRST: "raised",
    NotifyReason.REMINDER: "reminder",
    NotifyReason.CANCELLED: "cancelled",
}


def alert_message(
    message_id: str,
    *,
    site: str,
    alert: AlertRow,
    incident: IncidentOut,
    reason: NotifyReason,
    now: datetime,
    public_url: str | None,
) -> str:
    """Return the body that tells one agency of one incident; `incident` names no other agency."""
    kind = _KINDS.get(reason, "updated")
    ring = ring_to_json(
        ellipse_ring(LatLon(incident.lat_deg, incident.lon_deg), Ellipse(**incident.ellipse.model_dump()))
    )
    picture = f"/v1/frames/{incident.frame}/marked.jpg" if incident.frame else None
    body = {
        "specversion": "1.0",
        "id": message_id,
        "source": f"urn:gridpatrol:site:{site}",
        "type": f"gridpatrol.alert.{kind}",
        "subject": alert.id,
        "time": now.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {
            "alert": _alert(alert),
            "reason": reason.value,
            "incident": incident.model_dump(mode="json"),
            "outline": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
            "picture": f"{(public_url or '').rstrip('/')}{picture}" if picture else None,
        },
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _alert(row: AlertRow) -> dict[str, Any]:
    """Return the alert without its deliveries, which are ours and of which this message is one."""
    return {
        "id": row.id,
        "agency": row.agency,
        "state": row.state,
        "hazard": row.hazard,
        "severity": row.severity,
        "title": row.title,
        "place_name": row.place_name,
        "raised_at": row.raised_at.isoformat().replace("+00:00", "Z"),
        "revision": row.revision,
    }
