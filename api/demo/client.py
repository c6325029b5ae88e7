"""The service's HTTP interface as any outside program uses it: JSON answers and the event stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import httpx

from missions.errors import WorkFailed

# An event stream is silent while nothing happens, but for a comment every few seconds.
SILENCE_S = 60.0
RETRY_S = 0.5


class Client:
    """One caller with its token."""

    def __init__(self, base_url: str, token: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url, headers={"authorization": f"Bearer {token}"}, timeout=30.0, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(self, path: str) -> Any:
        """Return the JSON at a path."""
        return await self._ask("GET", path)

    async def put(self, path: str, value: dict[str, Any]) -> Any:
        """Return the answer to a JSON value put at a path."""
        return await self._ask("PUT", path, value)

    async def post(self, path: str, value: dict[str, Any]) -> Any:
        """Return the answer to a JSON value sent to a path."""
        return await self._ask("POST", path, value)

    async def events(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Yield (kind, value) of every event since the beginning, for ever; a broken stream goes on."""
        last = ""
        while True:
            try:
                headers = {"last-event-id": last} if last else {}
                async with self._http.stream(
                    "GET", "/v1/events?after=0", headers=headers, timeout=httpx.Timeout(10.0, read=SILENCE_S)
                ) as answer:
                    answer.raise_for_status()
                    async for kind, name, data in _events(answer.aiter_lines()):
                        last = name or last
                        yield kind, json.loads(data)
            except httpx.HTTPError:
                await asyncio.sleep(RETRY_S)  # the api is restarting; it has no way to tell us when

    async def _ask(self, method: str, path: str, value: dict[str, Any] | None = None) -> Any:
        try:
            answer = await self._http.request(method, path, json=value)
            answer.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise WorkFailed(f"{method} {path}: {error.response.status_code} {error.response.text}") from None
        except httpx.HTTPError as error:
            raise WorkFailed(f"{method} {path}: {str(error) or type(error).__name__}") from None
        return answer.json()


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, str, str]]:
    """Yield (kind, id, data) of a text/event-stream, as the HTML standard parses it."""
    kind, name = "message", ""
    data: list[str] = []
    async for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield kind, name, "\n".join(data)
            kind, data = "message", []
        elif field == "event":
            kind = value
        elif field == "id":
            name = value
        elif field == "data":
            data.append(value)
