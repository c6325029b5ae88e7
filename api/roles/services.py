"""The value that the routes and the coordinator are built from, wired from the settings."""

import asyncio
from pathlib import Path

from api.bus import Bus
from api.bus_server import agency_user, key_of
from api.delivery.signing import open_signer
from api.escalation import Patience, Watch
from api.pictures import open_pictures
from api.seal import Seal
from api.services import Json, Options, Services
from api.settings import Settings
from api.store.engine import open_database
from missions.site import load_site
from missions.terrain import Terrain

# In wall time: a gateway answers from its journal at once or is not there.
COMMAND_PATIENCE_S = 10.0
CONSOLE = Path(__file__).parents[1] / "console" / "dist"


async def build_services(settings: Settings, bus: Bus) -> Services:
    """Return what the service is made of; the caller closes the database."""
    site = load_site(settings.site)

    async def publish(subject: str, message: Json, message_id: str) -> None:
        await bus.store(subject, dict(message), message_id=message_id)

    async def command(gateway: str, order: Json) -> Json:
        return await bus.request(f"sorties.command.{gateway}", dict(order), patience_s=COMMAND_PATIENCE_S)

    async def request_plan(seed: int | None) -> None:
        await bus.request("plans.command", {"seed": seed}, patience_s=COMMAND_PATIENCE_S)

    signer = await asyncio.to_thread(
        open_signer, settings.data / "keys" / "signing.pem", name=settings.cap_sender or site.id
    )
    return Services(
        database=await open_database(settings.database, migrate=False),
        pictures=open_pictures(settings.pictures_at),
        clock=settings.make_clock(),
        site=site,
        terrain=Terrain.open(site.terrain),
        publish=publish,
        command=command,
        request_plan=request_plan,
        seal=Seal.of(settings.data),
        signer=signer,
        channels=(*settings.channels().names, "mqtt"),
        mqtt_login=lambda agency: (agency_user(agency), key_of(settings.data, agency_user(agency))),
        options=Options(
            public_url=settings.public_url or None,
            allowed_networks=settings.networks(),
            secure_cookie=settings.public_url.startswith("https://"),
            exercise=settings.exercise,
            patience=Patience(settings.escalate_channel_s, settings.escalate_person_s),
            watch=Watch(settings.watch_every_h * 3600.0, settings.watch_looks),
            cap_sender=settings.cap_sender or None,
            session_s=settings.session_hours * 3600,
            idle_s=settings.idle_hours * 3600,
            administrator_idle_s=settings.administrator_idle_minutes * 60,
            second_factor=settings.second_factor_roles(),
            provider=settings.provider(),
            outbound=settings.outbound(),
            baselines=settings.baseline_at if settings.keeps_baselines else None,
            console=CONSOLE if (CONSOLE / "index.html").exists() else None,
        ),
    )
