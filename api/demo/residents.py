"""The demo's residents: what the simulator has them say reaches the service as any report does.

The simulator tells what they say when it starts, not whether it is true. What became of each report is read
from the service in the end.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from api.demo.client import Client
from missions.clock import Clock
from missions.words import named

Json = dict[str, Any]


@dataclass(slots=True)
class Residents:
    """Reports that wait for their time, and what the service answered to those that were sent."""

    calls: Sequence[Json]
    clock: Clock
    tell: Callable[[str], None]
    sent: list[tuple[Json, Json]] = field(default_factory=list)

    async def call(self, client: Client) -> None:
        """Send each report at its time; return when all are sent."""
        for report in sorted(self.calls, key=_told_at):
            wait_s = (_told_at(report) - self.clock.now()).total_seconds() / self.clock.speed
            await asyncio.sleep(max(0.0, wait_s))  # a resident calls at a time, nothing tells of it before
            answer = await client.post("/v1/witnesses/reports", report)
            self.sent.append((report, answer))
            self.tell(f"A resident reports {report['service_code']}: “{report['description']}”")
            if answer["note"]:
                self.tell(f"  {named(answer['note'])}")

    async def outcomes(self, client: Client) -> list[Json]:
        """Return what became of every report: confirmed, cleared, or still unconfirmed, and why."""
        return [await _outcome(client, report, answer) for report, answer in self.sent]


async def _outcome(client: Client, report: Json, answer: Json) -> Json:
    incident = await client.get(f"/v1/incidents/{answer['incident']}")
    looks = (await client.get(f"/v1/incidents/{answer['incident']}/looks"))["looks"]
    decided = next((look["decided_at"] for look in reversed(looks) if look["decided_at"]), None)
    minutes = (datetime.fromisoformat(decided) - _told_at(report)).total_seconds() / 60 if decided else None
    return {
        "id": report["service_request_id"],
        "hazard": report["service_code"],
        "incident": answer["incident"],
        "outcome": incident["standing"],
        "reason": named(incident["standing_reason"]) if incident["standing_reason"] else None,
        "known_before": named(answer["note"]) if answer["note"] else None,
        "confidence": incident["confidence"],
        "sortie": next((look["sortie"] for look in looks if look["sortie"]), None),
        "minutes": None if minutes is None else round(minutes, 1),
    }


def _told_at(report: Json) -> datetime:
    return datetime.fromisoformat(report["requested_datetime"])
