"""A timekeeper and nothing else, in a process of its own that row `escalation` kills."""

import asyncio
import logging
import sys
from pathlib import Path

import numpy as np
import structlog

from api.bench.escalation import PATIENCE, bench_services
from api.escalation import Patience
from api.roles.timekeeping import Timekeeper


async def keep(data: Path, scale: float) -> None:
    """Fire what is due until killed; says so once it does."""
    patience = Patience(PATIENCE.channel_s * scale, PATIENCE.person_s * scale)
    services = await bench_services(data, patience)
    print("ready", flush=True)
    await Timekeeper(services, f"keeper {np.random.default_rng().integers(1 << 30)}").run()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(keep(Path(sys.argv[1]), float(sys.argv[2])))
