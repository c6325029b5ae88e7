"""How the service meets the world, for the system administrator."""

from dataclasses import asdict
from importlib.metadata import version

from fastapi import APIRouter

from api.auth import Built, SystemAdministrator
from api.schemas_accounts import OutboundOut, SystemOut
from api.services import Outbound
from api.store import receivers

router = APIRouter(tags=["system"])


@router.get("/system")
async def system(caller: SystemAdministrator, built: Built) -> SystemOut:
    """Say which version runs, and every connection to the outside, on or off."""
    async with built.database.read() as session:
        used = await receivers.channels(session)
    told = [Outbound(f"{channel} receivers", True, f"{many}") for channel, many in used.items()]
    outbound = told or [Outbound("receivers of alerts", False)]
    shown = [OutboundOut(**asdict(row)) for row in (*outbound, *built.options.outbound)]
    return SystemOut(version=version("gridpatrol"), outbound=shown)
