"""Giving a vehicle its signing key, and taking it back, over a link of its own.

The key travels in the clear, so the link must be one that nobody listens to: a
cable, or the dock's own network.
"""

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass

from fleet.errors import LinkFailed
from fleet.keyring import Keyring
from fleet.link import Link
from fleet.messages import Alive, Heartbeat, Role
from fleet.signing import Key, KeyOffer, Offer

_FIRST_WORD_S = 10.0
_TICK_S = 0.2


@dataclass(frozen=True, slots=True)
class Keyed:
    """Which vehicle was given a key, and whether it took it."""

    link: str
    system: int
    state: Offer


async def give_key(connect: str, ring: Keyring, key: Key | None, *, system: int = 0) -> Keyed:
    """Return how giving a key went; no key tells the vehicle to sign no more. `system` 0 is the first heard.

    Raises:
        LinkFailed: nothing answers there, or no vehicle speaks.
    """
    link = Link(connect, keyring=ring)
    await link.open()
    found = asyncio.Event()
    heard_system = system

    async def listen() -> None:
        nonlocal heard_system
        async with aclosing(link.heard()) as messages:
            async for heard in messages:
                beats = isinstance(heard.message, Heartbeat) and heard.message.role is Role.VEHICLE
                if beats and heard_system in (0, heard.system):
                    heard_system = heard.system
                    found.set()

    listening = asyncio.create_task(listen())
    try:
        await _first_word(link, found)
        keys = ring.of(str(link.address), heard_system)
        offer = KeyOffer(keys, key, ring.stamps, keep=ring.keep)
        messages = offer.start(time.monotonic())
        while offer.state is Offer.OPEN:
            for message in messages:
                link.send(message, heard_system)
            # Silence makes no event, so this one wait is a sleep.
            await asyncio.sleep(_TICK_S)
            messages = offer.tick(time.monotonic())
        ring.keep()
        return Keyed(str(link.address), heard_system, offer.state)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def _first_word(link: Link, found: asyncio.Event) -> None:
    """Wait for the vehicle's heartbeat; some speak only to who speaks to them."""
    until_s = time.monotonic() + _FIRST_WORD_S
    while not found.is_set():
        if time.monotonic() > until_s:
            raise LinkFailed(link.name, f"no vehicle was heard within {_FIRST_WORD_S:.0f} s")
        link.send(Alive(), 0)
        try:
            await asyncio.wait_for(found.wait(), 1.0)
        except TimeoutError:
            continue
