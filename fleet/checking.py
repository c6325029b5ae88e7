"""Looking at a drone without changing anything on it: `gridpatrol fly --check`."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from fleet.autopilots import Step
from fleet.link import Link
from fleet.mavlink import MavlinkCarrier, listen
from fleet.order import SortieOrder
from fleet.preflight import Finding, findings
from missions.clock import Clock

_LOOK_S = 20.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What speaks against flying, and what a flight would change first."""

    findings: tuple[Finding, ...]
    changes: tuple[str, ...]
    by_hand: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether the sortie could start now."""
        return not self.findings and not self.by_hand

    def to_json(self) -> dict[str, Any]:
        """Return the result as `gridpatrol fly --check --json` prints it."""
        return {
            "ready": self.ready,
            "findings": [asdict(f) for f in self.findings],
            "changes": list(self.changes),
            "by_hand": list(self.by_hand),
            "unknown_parameters": list(self.unknown),
        }


async def check(order: SortieOrder, connect: str, *, clock: Clock, say: Say) -> CheckResult:
    """Return what speaks against flying now; changes nothing on the vehicle.

    Raises:
        LinkFailed: the connection leads nowhere.
    """
    link = Link(connect)
    await link.open()
    carrier = MavlinkCarrier(link, clock)
    tasks = [asyncio.create_task(listen(link, [carrier])), asyncio.create_task(carrier.run())]
    try:
        say(f"waiting for the drone to tell its state (usually 5 s, at most {_LOOK_S:.0f} s)")
        return await _look(order, carrier)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _look(order: SortieOrder, carrier: MavlinkCarrier) -> CheckResult:
    profile = None
    explained = False
    until = carrier.now() + _LOOK_S

    def found() -> tuple[Finding, ...]:
        return findings(carrier.state, order, None, has_dock=False, now=carrier.now())

    while carrier.now() < until:
        await carrier.beat()
        if carrier.state is None:
            continue
        if profile is None:
            profile = carrier.start_profile(carrier.autopilot.profile(order), write=False)
        if carrier.state.ready_to_arm is False and not explained:
            carrier.do(Step.EXPLAIN)  # by itself it says so twice a minute
            explained = True
        if profile.result is not None and not found():
            break
    result = profile.result if profile is not None else None
    if result is None:
        return CheckResult(found() or (Finding("no parameters came", "check the link"),), (), (), ())
    return CheckResult(found(), tuple(map(str, result.changes)), result.by_hand, result.unknown)
