"""The whole API, asked nonsense: no 500, no stack trace, nothing of another agency.

GRIDPATROL_FUZZ names how many requests each operation gets (8); `make fuzz` asks a thousand.
"""

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from api.app import create_app
from api.rates import Rates
from api.services import Services
from api.store import tokens
from api.store.absorbing import Recorded
from api.store.tokens import Role
from tests.api.world import FOREST, NOW, fire, frame_id, report

REQUESTS = int(os.environ.get("GRIDPATROL_FUZZ", "8"))
ENDLESS = {("GET", "/v1/events")}
INSIDES = re.compile(
    r"Traceback \(most recent|File \"/|sqlalchemy|sqlite3|asyncpg|\.py\", line", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Target:
    """A service that listens, what describes it, tokens by caller, and what only forestry may hear of."""

    address: str
    description: Mapping[str, Any]
    tokens: Mapping[str, str]
    secrets: tuple[str, ...]
    real: Mapping[str, str]
    """What is really there, by its name in a path: half of the requests ask for that."""


@pytest.fixture
async def target(services: Services) -> AsyncIterator[Target]:
    services = replace(services, rates=Rates(scale=10_000))
    recorded = await report(services, 1, fire(1, FOREST))
    issued = {}
    async with services.database.write() as session:
        for name in ("forestry", "village", *(role.value for role in Role if role is not Role.AGENCY)):
            role = Role.AGENCY if name in ("forestry", "village") else Role(name)
            agency = name if role is Role.AGENCY else None
            issued[name] = await tokens.issue(session, role=role, name=name, now=NOW, agency=agency)
    app = create_app(services)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    real = await asyncio.to_thread(_work, address, issued["forestry"], recorded)
    secrets = (*recorded.incidents, *recorded.alerts, frame_id(1), *real["secrets"].split())
    yield Target(address, app.openapi(), issued, secrets, real)
    server.should_exit = True
    await serving


def _work(address: str, token: str, recorded: Recorded) -> dict[str, str]:
    """Return the names of things of forestry's that there are: what is worked on, told, muted and held."""
    incident, head = recorded.incidents[0], {"Authorization": f"Bearer {token}"}

    def post(path: str, body: Mapping[str, Any]) -> Any:
        reply = requests.post(f"{address}{path}", json=body, headers=head, timeout=20)
        assert reply.ok, (path, reply.text)
        return reply.json()

    hook = {"channel": "webhook", "address": "http://127.0.0.1:9/hook"}
    receiver = post("/v1/agencies/forestry/receivers", hook)["id"]
    order = post(f"/v1/incidents/{incident}/orders", {})
    until = (NOW + timedelta(hours=1)).isoformat()
    mute = post("/v1/mutes", {"hazards": ["flood"], "reason": "sluice", "ends_at": until})["id"]
    post(f"/v1/incidents/{incident}/hold", {"reason": "an inquiry"})
    return {
        "incident_id": incident,
        "alert_id": recorded.alerts[0],
        "frame_id": frame_id(1),
        "order_id": order["id"],
        "item": order["checklist"][0]["item"],
        "mute_id": mute,
        "receiver_id": receiver,
        "agency_id": "forestry",
        "secrets": f"{order['id']} {mute} {receiver}",
    }


@pytest.mark.slow
async def test_nonsense_is_refused_in_words_and_leaks_nothing(target: Target) -> None:
    schema = schemathesis.openapi.from_dict(dict(target.description))
    for found in schema.get_all_operations():
        operation = found.ok()
        if (operation.method.upper(), operation.path) not in ENDLESS:
            await asyncio.to_thread(_fuzz, operation, target)


def _fuzz(operation: Any, target: Target) -> None:
    """Ask one operation right and wrong things, as every kind of caller."""
    kinds = st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )
    quiet = settings(
        max_examples=REQUESTS,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )

    with requests.Session() as session:

        @quiet
        @given(case=kinds, name=st.sampled_from([None, *target.tokens]), is_real=st.booleans())
        def ask(case: Any, name: str | None, is_real: bool) -> None:
            if is_real and case.path_parameters:
                case.path_parameters = {k: target.real.get(k, v) for k, v in case.path_parameters.items()}
            case.headers = {k: v for k, v in (case.headers or {}).items() if k.lower() != "authorization"}
            headers = {"Authorization": f"Bearer {target.tokens[name]}"} if name else {}
            session.cookies.clear()
            reply = case.call(
                base_url=target.address, session=session, headers=headers, allow_redirects=False, timeout=20
            )
            _check(operation, reply, name, target)

        ask()


def _check(operation: Any, reply: Any, name: str | None, target: Target) -> None:
    where = (operation.method, operation.path, name, reply.status_code)
    text = reply.content.decode("utf-8", errors="replace")
    assert reply.status_code != 500, (*where, text)
    if reply.status_code >= 400 and "json" in str(reply.headers.get("content-type")):
        assert INSIDES.search(text) is None, (*where, text)
    is_trail = name == "auditor" and operation.path == "/v1/audit"  # who did what to what: that is its office
    if name not in ("operator", "forestry") and not is_trail:
        leaked = [
            secret for secret in target.secrets if secret in text and secret not in str(reply.request.url)
        ]
        assert not leaked, (*where, leaked)
