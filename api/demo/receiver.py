"""A duty desk's own program: a real HTTP server that takes signed webhooks and checks each signature.

It stands for what an agency runs. It knows nothing of the service but the
secret it was given, and verifies with the `standardwebhooks` library, so a
delivery that it counts is one that anybody's program would accept.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Received:
    """One message whose signature was right."""

    agency: str
    id: str
    body: dict[str, Any]


class Receiver:
    """The desks of all agencies, each at its own path. Thread-safe: the server runs in threads."""

    def __init__(self, port: int, take: Callable[[Received], None]) -> None:
        self._port = port
        self._take = take
        self._secrets: dict[str, str] = {}
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self.refused = 0

    def url(self, agency: str) -> str:
        return f"http://127.0.0.1:{self._port}/desks/{agency}"

    def trust(self, agency: str, secret: str) -> None:
        """Take messages for an agency that are signed with this secret."""
        with self._lock:
            self._secrets[agency] = secret

    def receive(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        """Return the HTTP status for one message; a repeated one is taken and not told again."""
        agency = path.removeprefix("/desks/")
        with self._lock:
            secret = self._secrets.get(agency)
        if secret is None:
            return 404
        try:
            Webhook(secret).verify(body, headers)
        except WebhookVerificationError:
            with self._lock:
                self.refused += 1
            return 401
        name = headers["webhook-id"]
        with self._lock:
            is_new = name not in self._seen
            self._seen.add(name)
        if is_new:
            self._take(Received(agency, name, json.loads(body)))
        return 204


@contextmanager
def receiving(take: Callable[[Received], None]) -> Iterator[Receiver]:
    """Yield a running receiver on a free port of the loopback.

    `take` is called in the event loop that is running now.
    """
    loop = asyncio.get_running_loop()

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            status = 413
            if length <= MOST_BYTES:
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = receiver.receive(self.path, self.rfile.read(length), headers)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the demo tells what arrived."""

    def hand_over(received: Received) -> None:
        loop.call_soon_threadsafe(take, received)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    receiver = Receiver(server.server_address[1], hand_over)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
