"""The whole API, asked nonsense: no 500, no stack trace, nothing of another agency.

GRIDPATROL_FUZZ names how many requests each operation gets (8); `make fuzz` asks a thousand.
"""

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
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
    secrets = (*recorded.incidents, *recorded.alerts, frame_id(1))
    yield Target(f"http://127.0.0.1:{listening.getsockname()[1]}", app.openapi(), issued, secrets)
    server.should_exit = True
    await serving


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
        @given(case=kinds, name=st.sampled_from([None, *target.tokens]))
        def ask(case: Any, name: str | None) -> None:
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
    if name not in ("operator", "forestry"):
        leaked = [
            secret for secret in target.secrets if secret in text and secret not in str(reply.request.url)
        ]
        assert not leaked, (*where, leaked)
