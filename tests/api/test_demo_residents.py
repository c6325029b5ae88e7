"""The demo's residents: each calls at his time, and what became of it is the service's own word."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from api.demo.client import Client
from api.demo.residents import Residents
from missions.clock import ScaledClock

EPOCH_AT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)


def call(name: str, minute: float) -> dict[str, Any]:
    return {
        "service_request_id": name,
        "service_code": "smoke",
        "description": "white smoke",
        "requested_datetime": (EPOCH_AT + timedelta(minutes=minute)).isoformat(),
    }


class Service:
    """What the service answers over HTTP."""

    def __init__(self, clock: ScaledClock) -> None:
        self.clock = clock
        self.heard: list[tuple[str, datetime]] = []

    async def post(self, path: str, value: dict[str, Any]) -> Any:
        self.heard.append((value["service_request_id"], self.clock.now()))
        return {"incident": f"w-{value['service_request_id']}", "note": {"en-US": "not looked at"}}

    async def get(self, path: str) -> Any:
        if path.endswith("/looks"):
            decided = (EPOCH_AT + timedelta(minutes=7.5)).isoformat() if "R1" in path else None
            return {"looks": [{"decided_at": decided, "sortie": "P2-S1"}]}
        is_first = "R1" in path
        return {
            "standing": "confirmed" if is_first else "unconfirmed",
            "standing_reason": {"en-US": "Confirmed: seen." if is_first else "Told by resident."},
            "confidence": 0.9,
        }


async def test_residents_call_at_their_times_and_the_outcome_is_what_the_service_says() -> None:
    clock = ScaledClock.starting_now(EPOCH_AT, 600.0)
    service, told = Service(clock), []
    residents = Residents([call("R2", 4.0), call("R1", 2.0)], clock, told.append)
    await residents.call(cast(Client, service))
    assert [name for name, _ in service.heard] == ["R1", "R2"]
    for (_, at), minute in zip(service.heard, (2.0, 4.0), strict=True):
        assert at >= EPOCH_AT + timedelta(minutes=minute)
    assert told[0] == "A resident reports smoke: “white smoke”"
    first, second = await residents.outcomes(cast(Client, service))
    assert (first["outcome"], first["minutes"], first["sortie"]) == ("confirmed", 5.5, "P2-S1")
    assert (second["outcome"], second["minutes"]) == ("unconfirmed", None)
    assert first["known_before"] == "not looked at"
