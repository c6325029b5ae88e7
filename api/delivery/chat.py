"""Chat robots of DingTalk, WeCom and Feishu, spoken to through Apprise.

The address is Apprise's: dingtalk://SECRET@TOKEN/, wecombot://KEY/, feishu://TOKEN/.
Other kinds of Apprise address are refused, because some of them would let an
agency send our server to any place. Apprise works in a thread and says only
whether it went well; what it logged of the reason goes into our delivery log.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import apprise
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.wecombot import NotifyWeComBot

from api.delivery.sender import Outcome
from api.delivery.wording import worded
from api.errors import BadRequest
from api.store.outbox import Leased

ROBOTS: dict[str, Any] = {"dingtalk": NotifyDingTalk, "wecombot": NotifyWeComBot, "feishu": NotifyFeishu}
TIMEOUT_S = 15.0

_LOUD = logging.getLogger("apprise")


class ChatSender:
    """Sends alerts to chat groups."""

    async def send(self, message: Leased) -> Outcome:
        """Return how one try went."""
        try:
            robot = robot_of(message.address)
        except BadRequest as error:
            return Outcome(str(error), can_retry=False)
        told = worded(message.body, message.language)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                went_well, said = await asyncio.to_thread(_notify, robot, told.subject, told.body)
        except TimeoutError:
            return Outcome(f"no answer within {TIMEOUT_S:g} s")
        return Outcome() if went_well else Outcome(f"the chat service refused: {said}")


def robot_of(address: str) -> Any:
    """Return the robot of an address.

    Raises:
        BadRequest: it is none of the three, or is not written as Apprise wants it.
    """
    kind = address.partition("://")[0].lower()
    if kind not in ROBOTS:
        raise BadRequest(f"a chat address begins with {', '.join(f'{name}://' for name in ROBOTS)}")
    # The three are loaded by themselves: Apprise's own look-up loads a hundred others.
    found = ROBOTS[kind].parse_url(address)
    try:
        if found:
            return ROBOTS[kind](**found)
    except TypeError:
        pass  # how Apprise says that a part of it is wrong
    # The address is not repeated: it is a secret.
    raise BadRequest(f"this is no {kind} address: see https://appriseit.com for its form")


def _notify(robot: Any, title: str, body: str) -> tuple[bool, str]:
    with _overheard() as said:
        went_well = bool(robot.notify(body=body, title=title, notify_type=apprise.NotifyType.WARNING))
    return went_well, " ".join(said)[:300] or "no reason given"


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """Yield what Apprise logs meanwhile; other threads' words may be among them, secrets are not."""
    said: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    ear = Ear(logging.WARNING)
    _LOUD.addHandler(ear)
    try:
        yield said
    finally:
        _LOUD.removeHandler(ear)
