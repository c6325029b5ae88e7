"""What the channels' tests share: a message as the outbox leases it, and a real HTTP receiver of requests."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.store.outbox import Leased

LOOPBACK = (ip_network("127.0.0.0/8"),)

BODY = json.dumps(
    {
        "specversion": "1.0",
        "id": "msg_1f0c",
        "type": "gridpatrol.alert.raised",
        "subject": "7c3d",
        "data": {
            "alert": {
                "severity": "red",
                "title": {"en-US": 'Suspected fire: "tower" 7', "zh-CN": "疑似火情：7号塔"},
                "place_name": {"en-US": "tower 7\nBcc: x@y", "zh-CN": "7号塔"},
            },
            "incident": {
                "lat_deg": 30.28,
                "lon_deg": 119.42,
                "ellipse": {"major_m": 6.0, "minor_m": 4.0, "bearing_deg": 0.0},
                "area_m2": 12.5,
                "temp_max_c": 512.0,
            },
            "picture": "https://patrol.example/v1/frames/f1/marked.jpg",
        },
    },
    ensure_ascii=False,
)


def leased(channel: str, address: str, *, language: str = "en-US", **changes: Any) -> Leased:
    values: dict[str, Any] = {
        "id": "msg_1f0c",
        "receiver": "forestry-1",
        "lease": "l",
        "agency": "forestry",
        "channel": channel,
        "body": BODY,
        "attempt": 1,
        "give_up_at": datetime(2030, 1, 1, tzinfo=UTC),
        "address": address,
        "language": language,
        "secrets": ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",),
    }
    return Leased(**{**values, **changes})


@dataclass
class Got:
    """One request that arrived."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class HttpDesk:
    """A real HTTP server that keeps every request and answers as told."""

    answer: bytes = b"{}"
    status: int = 200
    got: list[Got] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def take(self, request: Request) -> Response:
        path, query, headers = request.url.path, dict(request.query_params), dict(request.headers)
        self.got.append(Got(path, query, headers, await request.body()))
        return Response(self.answer, self.status, media_type="application/json")


@asynccontextmanager
async def desk(**settings: Any) -> AsyncIterator[HttpDesk]:
    """Yield an HTTP receiver that listens, in this process's loop."""
    found = HttpDesk(**settings)
    app = Starlette(routes=[Route("/{path:path}", found.take, methods=["GET", "POST"])])
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1, lifespan="off")
    )
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  (uvicorn tells its start by this flag alone)
        await asyncio.sleep(0.01)
    found.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.should_exit = True
        await running
