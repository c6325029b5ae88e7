"""What a role is told from outside: flag over environment over `gridpatrol.toml`.

Read in one place, when a role starts; importing reads nothing. The environment
names carry the prefix GRIDPATROL_ (GRIDPATROL_HTTP_PORT), the file has the same
names in small letters (`http_port = 8000`) and lies in the working folder or
where GRIDPATROL_CONFIG points.
"""

import json
import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from sqlalchemy import make_url

from api.delivery.channels import Channels
from api.delivery.gateway import HttpTemplate
from api.delivery.mail import MailServer
from api.delivery.mqtt import MqttSender
from api.oidc import Provider
from api.retention import Keeping
from api.rights import Role
from api.services import Outbound
from missions.clock import Clock, clock_from
from missions.errors import InputWrong
from missions.model import Hazard, Site

PREFIX = "GRIDPATROL_"
CONFIG = "gridpatrol.toml"
DEFAULT_MAVLINK_PORT = 5860


def _valley() -> Path:
    """Return the example site: beside the source in a checkout, else below the working folder."""
    beside = Path(__file__).parents[1] / "examples" / "valley" / "site.yaml"
    return beside if beside.exists() else Path("examples/valley/site.yaml")


class Settings(BaseSettings):
    """Everything a role is told. Paths are made absolute on reading."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    data: Path = Field(Path("gridpatrol-data"), description="the data folder: database, pictures, keys, bus")
    site: Path = Field(default_factory=_valley, description="the site file")
    baseline: Path | None = Field(
        None,
        description="how the ground looked before: a GeoTIFF or a store; empty means the data folder's store",
    )
    calibration: Path | None = Field(
        None,
        description="what `gridpatrol calibrate --into` wrote; empty means the data folder's calibration",
    )
    trials: str = Field(
        "", description="hazards whose detectors on trial raise incidents too: flood,logging; or all"
    )
    clock: str = Field("", description="the clock of a simulation, TIME@WALL_SECONDSxSPEED")
    http_host: str = Field("127.0.0.1", description="the address the api listens on")
    http_port: int = Field(8000, ge=1, le=65535, description="the port the api listens on")
    database_url: str = Field("", description="SQLAlchemy URL; empty means SQLite in the data folder")
    pictures: str = Field("", description="folder or s3:// URL of the pictures; empty means the data folder")
    gateway: str = Field("g1", pattern=r"^[a-z0-9-]{1,32}$", description="this gateway's name on the bus")
    drones: str = Field("", description="D1=tcp:HOST:PORT,...; empty means the simulator's ports")
    docks: bool = Field(True, description="whether docks are commanded over MQTT")
    analysts: int = Field(1, ge=1, le=64, description="how many analysts serve starts")
    plan_seconds: float = Field(10.0, gt=0, le=3600, description="how long planning may search")
    seed: int = Field(1, ge=0, description="the planner's seed")
    public_url: str = Field("", description="the address people use, for links in messages")
    webhook_networks: str = Field("", description="private networks webhooks may reach, as 10.1.0.0/16,...")
    cap_sender: str = Field(
        "", pattern=r"^[^\s,<&]*$", description="who CAP messages are from, a domain name"
    )
    session_hours: float = Field(12, gt=0, le=24 * 30, description="how long a login lasts")
    idle_hours: float = Field(8, gt=0, le=24 * 30, description="an unused login ends after so long")
    administrator_idle_minutes: float = Field(
        15, gt=0, le=24 * 60, description="the same, for system, security and audit administrators"
    )
    second_factor: str = Field(
        "system,security,auditor", description="roles that must log in with a second factor"
    )
    oidc_issuer: str = Field("", description="the identity provider people may log in at; empty means none")
    oidc_client_id: str = Field("", description="what the identity provider calls this service")
    oidc_secret_file: Path | None = Field(None, description="the file with the identity provider's secret")
    escalate_channel_s: float = Field(120.0, gt=0, description="without answer: the next channel after")
    escalate_person_s: float = Field(300.0, gt=0, description="without answer: the next person after")
    watch_every_h: float = Field(4.0, gt=0, description="a fire that is out is looked at again so often")
    watch_looks: int = Field(3, ge=0, le=50, description="and so many times")
    mail_server: str = Field("", description="smtp://, smtp+starttls:// or smtps:// [user:password@]host")
    mail_from: str = Field("gridpatrol@localhost", description="the address mails come from")
    chat_robots: bool = Field(False, description="whether alerts may go to DingTalk, WeCom and Feishu")
    sms: HttpTemplate | None = Field(None, description="the gateway for text messages: url, headers, body")
    voice: HttpTemplate | None = Field(None, description="the gateway for calls: url, headers, body")
    keep_pictures_days: float = Field(90, ge=1, description="pictures that show no incident")
    keep_evidence_days: float = Field(1095, ge=1, description="pictures and messages of incidents")
    keep_events_days: float = Field(7, ge=1, description="what a browser that was away may ask for")
    exercise: bool = Field(False, description="whether every message is marked as an exercise")
    log_level: str = Field("info", pattern=r"^(debug|info|warning|error)$", description="least level logged")

    @field_validator("data", "site")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags first, then the environment, then the file."""
        file = TomlConfigSettingsSource(settings_cls, os.environ.get(f"{PREFIX}CONFIG", CONFIG))
        return init_settings, env_settings, file

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data / 'gridpatrol.db'}"

    @property
    def pictures_at(self) -> str:
        """The folder or URL of the object store."""
        return self.pictures or str(self.data / "pictures")

    @property
    def baseline_at(self) -> Path:
        """What places looked like before: a GeoTIFF, or the store that flights fill."""
        return self.baseline or self.data / "baselines"

    @property
    def keeps_baselines(self) -> bool:
        """Whether flights make baselines: not where a single GeoTIFF says how everything looked."""
        return self.baseline_at.suffix.lower() not in (".tif", ".tiff")

    @property
    def calibration_at(self) -> Path:
        """The folder of what duty officers' verdicts have taught."""
        return self.calibration or self.data / "calibration"

    @property
    def base_url(self) -> str:
        """Where the api is reached from this machine."""
        host = "127.0.0.1" if self.http_host in ("0.0.0.0", "::") else self.http_host
        return f"http://{host}:{self.http_port}"

    def make_clock(self) -> Clock:
        """Return the clock all roles share."""
        return clock_from(self.clock)

    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return the private networks that webhooks may reach.

        Raises:
            InputWrong: one of them is no network.
        """
        try:
            return tuple(ip_network(n.strip()) for n in self.webhook_networks.split(",") if n.strip())
        except ValueError as error:
            raise InputWrong(f"{PREFIX}WEBHOOK_NETWORKS: {error}, expected as 10.1.0.0/16") from None

    def connects(self, site: Site) -> dict[str, str]:
        """Return how each drone is reached, by drone id.

        Raises:
            InputWrong: the text cannot be read, or names a drone the site has not.
        """
        if not self.drones:
            return {
                drone.id: f"tcp:127.0.0.1:{DEFAULT_MAVLINK_PORT + index}"
                for index, drone in enumerate(site.drones)
            }
        found = {}
        for part in self.drones.split(","):
            drone, _, connect = part.strip().partition("=")
            if not connect or drone not in {d.id for d in site.drones}:
                raise InputWrong(
                    f"{PREFIX}DRONES: found {part.strip()!r}, expected DRONE=CONNECTION with one of "
                    f"{', '.join(d.id for d in site.drones)}, as D1=tcp:127.0.0.1:5860"
                )
            found[drone] = connect
        return found

    def second_factor_roles(self) -> frozenset[Role]:
        """Return the roles whose people must log in with a second factor.

        Raises:
            InputWrong: one of them is no role.
        """
        try:
            return frozenset(Role(name.strip()) for name in self.second_factor.split(",") if name.strip())
        except ValueError as error:
            known = ", ".join(role.value for role in Role)
            raise InputWrong(f"{PREFIX}SECOND_FACTOR: {error}, expected some of {known}") from None

    @property
    def tried(self) -> frozenset[Hazard]:
        """The hazards whose detectors on trial raise incidents too.

        Raises:
            InputWrong: one of them is no hazard.
        """
        if self.trials.strip() == "all":
            return frozenset(Hazard)
        try:
            return frozenset(Hazard(name.strip()) for name in self.trials.split(",") if name.strip())
        except ValueError as error:
            known = ", ".join(hazard.value for hazard in Hazard)
            raise InputWrong(f"{PREFIX}TRIALS: {error}, expected all or some of {known}") from None

    def provider(self) -> Provider | None:
        """Return the identity provider people may log in at, if one is named.

        Raises:
            InputWrong: something it needs is missing or cannot be read.
        """
        if not self.oidc_issuer:
            return None
        if not (self.oidc_client_id and self.oidc_secret_file and self.public_url):
            raise InputWrong(
                f"{PREFIX}OIDC_ISSUER needs {PREFIX}OIDC_CLIENT_ID, {PREFIX}OIDC_SECRET_FILE and "
                f"{PREFIX}PUBLIC_URL beside it"
            )
        try:
            secret = self.oidc_secret_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise InputWrong(f"{PREFIX}OIDC_SECRET_FILE: {self.oidc_secret_file}: {error.strerror}") from None
        back = f"{self.public_url.rstrip('/')}/v1/login/provider/return"
        return Provider(self.oidc_issuer, self.oidc_client_id, secret, back)

    def channels(self, mqtt: MqttSender | None = None) -> Channels:
        """Return the channels that are set up.

        Raises:
            InputWrong: the mail server's URL is of another form.
        """
        return Channels(
            mail_server=MailServer.parse(self.mail_server) if self.mail_server else None,
            mail_from=self.mail_from,
            chat_robots=self.chat_robots,
            sms=self.sms,
            voice=self.voice,
            mqtt=mqtt,
        )

    def keeping(self) -> Keeping:
        """Return how long each class of data is kept."""
        return Keeping(self.keep_pictures_days, self.keep_evidence_days, self.keep_events_days)

    def outbound(self) -> tuple[Outbound, ...]:
        """Return the connections to the outside that settings switch on; docs/outbound.md lists them all."""
        database = make_url(self.database)
        return (
            Outbound("identity provider", bool(self.oidc_issuer), self.oidc_issuer or None),
            Outbound("database server", database.host is not None, database.host),
            Outbound("mail server", bool(self.mail_server), urlsplit(self.mail_server).hostname),
            Outbound("chat robots", self.chat_robots, "DingTalk, WeCom, Feishu"),
            Outbound("text message gateway", self.sms is not None, self.sms.url if self.sms else None),
            Outbound("call gateway", self.voice is not None, self.voice.url if self.voice else None),
            Outbound("picture store", "://" in self.pictures_at, self.pictures or None),
        )

    def environment(self) -> dict[str, str]:
        """Return the environment that gives a child process these very settings."""
        values = self.model_dump(mode="json")
        return {f"{PREFIX}{name.upper()}": _text(v) for name, v in values.items() if v is not None}


def read(**flags: Any) -> Settings:
    """Return the settings; a flag that is None was not given.

    Raises:
        InputWrong: one sentence for each value that cannot be, with its place.
    """
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise InputWrong("; ".join(_sentence(e) for e in error.errors())) from None
    except ValueError as error:  # a file that is no TOML
        raise InputWrong(f"{os.environ.get(f'{PREFIX}CONFIG', CONFIG)}: {error}") from None


def _text(value: object) -> str:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sentence(error: Any) -> str:
    name = ".".join(map(str, error["loc"])).removeprefix(PREFIX.lower())
    if error["type"] == "extra_forbidden":
        return f"{CONFIG}: found {name!r}, expected one of {', '.join(Settings.model_fields)}"
    meaning = Settings.model_fields[name].description if name in Settings.model_fields else ""
    wanted = error["msg"].replace("Input should be ", "").replace("String should ", "a text that should ")
    return f"{PREFIX}{name.upper()}: found {error['input']!r}, expected {wanted} ({meaning})"
