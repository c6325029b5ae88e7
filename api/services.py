"""What the web application is built from, handed to `create_app` as one value."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from api.callers import Callers
from api.delivery.signing import Signer
from api.escalation import Patience, SilencePatience, Watch
from api.feed import Feed
from api.oidc import Provider
from api.pictures import Pictures
from api.rates import Rates
from api.seal import Seal
from api.store.engine import Database
from api.store.live import LiveIncidents
from api.store.tokens import ADMINISTRATORS, Role
from missions.clock import Clock
from missions.model import Site
from missions.terrain import Terrain

Json = Mapping[str, Any]

Publish = Callable[[str, Json, str], Awaitable[None]]
"""(subject, message, message id): returns when the bus has it on disk, raises when it has not."""

Command = Callable[[str, Json], Awaitable[Json]]
"""(gateway, command): returns the gateway's answer {"id", "accepted", "reason"}.

Raises TimeoutError when no gateway answers in time.
"""

RequestPlan = Callable[[int | None], Awaitable[None]]
"""(seed): asks the coordinator for a new plan and returns at once."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """One kind of connection to the outside: whether it is switched on, and where it goes (no secrets)."""

    to: str
    on: bool
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator chooses about how the service meets the world.

    `allowed_networks` are private addresses that webhooks may reach; by default
    none. `exercise` marks every CAP message as an exercise, as a demo must.
    A session ends after `session_s`, or when unused for `idle_s`, all of wall time;
    whoever has a role of `second_factor` must set one up before anything else.
    `patience` is for acknowledgements, `watch` for fires that are out, `silence` for who must be heard of.
    """

    public_url: str | None = None
    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    secure_cookie: bool = False
    session_s: float = 12 * 3600.0
    idle_s: float = 8 * 3600.0
    administrator_idle_s: float = 15 * 60.0
    second_factor: frozenset[Role] = ADMINISTRATORS
    provider: Provider | None = None
    outbound: tuple[Outbound, ...] = ()
    exercise: bool = False
    cap_sender: str | None = None
    console: Path | None = None
    baselines: Path | None = None  # the store of what places looked like before
    max_frame_bytes: int = 64 * 2**20
    patience: Patience = field(default_factory=Patience)
    watch: Watch = field(default_factory=Watch)
    silence: SilencePatience = field(default_factory=SilencePatience)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the routes and the delivery workers use."""

    database: Database
    pictures: Pictures
    clock: Clock
    site: Site
    terrain: Terrain
    publish: Publish
    command: Command
    request_plan: RequestPlan
    feed: Feed = field(default_factory=Feed)
    options: Options = field(default_factory=Options)
    rates: Rates = field(default_factory=Rates)
    seal: Seal = field(default_factory=Seal.fresh)
    channels: tuple[str, ...] = ("webhook",)
    mqtt_login: Callable[[str], tuple[str, str]] | None = None  # of an agency: its user and password
    signer: Signer | None = None  # without one CAP messages go unsigned and no evidence is packed
    live: LiveIncidents = field(default_factory=LiveIncidents)
    callers: Callers = field(default_factory=Callers)
