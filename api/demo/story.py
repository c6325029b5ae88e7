"""What happens, as sentences for a person: events of the service in, lines out.

Holds counters and nothing else: it is fed the events of the stream in order and
answers with the lines worth telling. A thing is told once, however often its
row comes again.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from missions.words import area_text, named

Json = Mapping[str, Any]

FLIGHT = {
    "preflight": "{drone} at {dock} is checked for take-off",
    "door_open": "{dock} has opened",
    "uploading": "the mission goes up to {drone}",
    "verified": "the mission is on {drone} and was read back: {evidence}",
    "armed": "{drone} is armed",
    "flying": "{drone} is in the air",
    "returning": "{drone} comes home",
    "landed": "{drone} has landed: {taken} of {planned} pictures taken",
    "door_closed": "{dock} has closed over {drone}",
    "done": "done, {files} picture files brought in",
    "failed": "FAILED: {evidence}",
}


@dataclass(slots=True)
class Story:
    """What has been told so far."""

    timezone: ZoneInfo
    docks: Mapping[str, str]
    agencies: Mapping[str, str]
    frames: int = 0
    steps: dict[str, int] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    incidents: set[str] = field(default_factory=set)
    alerts: set[str] = field(default_factory=set)
    early: dict[str, list[Json]] = field(default_factory=dict)
    received: int = 0
    looked_at: set[str] = field(default_factory=set)
    looked_s: float = 0.0
    standings: dict[str, str] = field(default_factory=dict)
    looks: dict[str, str] = field(default_factory=dict)

    def clock(self, at: datetime) -> str:
        """Return a moment as the site's wall clock shows it."""
        return f"{at.astimezone(self.timezone):%H:%M:%S}"

    def hear(self, kind: str, value: Json) -> Iterator[str]:
        """Yield the sentences that one event is worth."""
        match kind:
            case "sortie":
                yield from self._sortie(value)
            case "frame":
                self.looked_at.add(str(value["id"]))
                self.looked_s = time.monotonic()
            case "incident" if value["id"] not in self.incidents:
                self.incidents.add(value["id"])
                self.standings[value["id"]] = value.get("standing") or ""
                yield f"{_found(value)} at {named(value['place_name'])}"
                # Its alerts are in the stream before it; a person reads them after it.
                for alert in self.early.pop(value["id"], []):
                    yield from self.hear("alert", alert)
            case "incident" if (value.get("standing") or "") != self.standings[value["id"]]:
                self.standings[value["id"]] = value["standing"]
                yield f"{named(value['place_name'])}: {named(value['standing_reason'])}"
            case "look" if value["sortie"] and value["sortie"] != self.looks.get(value["id"]):
                self.looks[value["id"]] = value["sortie"]
                yield f"{value['sortie']} is to look at it, asked for by {value['asked_by']}"
            case "alert" if value["incident"] not in self.incidents:
                self.early.setdefault(value["incident"], []).append(value)
            case "alert" if value["id"] not in self.alerts:
                self.alerts.add(value["id"])
                agency = self._agency(value["agency"])
                yield f"{agency} is alerted ({value['severity']}): {named(value['title'])}"

    def arrived(self, agency: str) -> str:
        """Return the sentence for a signed message that reached an agency's desk."""
        self.received += 1
        return f"{self._agency(agency)}'s desk received the alert, signature right"

    def progress(self) -> str:
        """Return the state of things in one line."""
        flying = sum(s in ("flying", "returning") for s in self.states.values())
        over = sum(s in ("done", "failed") for s in self.states.values())
        return (
            f"{flying} flying, {over} of {len(self.states)} over, {len(self.looked_at)} pictures, "
            f"{len(self.incidents)} incidents, {self.received} alerts"
        )

    def _sortie(self, value: Json) -> Iterator[str]:
        told, steps = self.steps.get(value["id"], 0), value["steps"]
        self.steps[value["id"]] = max(told, len(steps))
        self.states[value["id"]] = value["state"]
        for step in steps[told:]:
            if sentence := FLIGHT.get(step["state"]):
                yield f"{value['id']}: " + sentence.format(
                    drone=value["drone"],
                    dock=self.docks.get(value["dock"], value["dock"]),
                    evidence=step["evidence"],
                    **value["shots"],
                )

    def _agency(self, agency: str) -> str:
        return self.agencies.get(agency, agency)


def _found(incident: Json) -> str:
    """Return what was found with what is known of it; unconfirmed fire is "suspected"."""
    name = {"fire": "Suspected fire"}.get(
        incident["hazard"], str(incident["hazard"]).replace("_", " ").capitalize()
    )
    known = []
    if incident.get("temp_max_c") is not None:
        known.append(f"{incident['temp_max_c']:.0f} °C")
    if incident.get("area_m2") is not None:
        known.append(f"about {area_text(incident['area_m2'])}")
    known.append(f"± {incident['ellipse']['major_m']:.0f} m")
    return f"{name} ({', '.join(known)})"
