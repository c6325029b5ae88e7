"""Which channels this service has: those that need nothing, and those the operator set up."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from api.delivery.gateway import GatewaySender, HttpTemplate
from api.delivery.guard import Networks
from api.delivery.mail import MailSender, MailServer
from api.delivery.mqtt import MqttSender
from api.delivery.post import Post
from api.delivery.sender import Sender
from api.delivery.webhook import WebhookSender


@dataclass(frozen=True, slots=True)
class Channels:
    """What the operator set up; None is a channel that is switched off, as all are that leave the house."""

    mail_server: MailServer | None = None
    mail_from: str = ""
    chat_robots: bool = False
    sms: HttpTemplate | None = None
    voice: HttpTemplate | None = None
    mqtt: MqttSender | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The channels that are switched on."""
        on = {
            "webhook": True,
            "mqtt": self.mqtt is not None,
            "mail": self.mail_server is not None,
            "chat": self.chat_robots,
            "sms": self.sms is not None,
            "voice": self.voice is not None,
        }
        return tuple(name for name, is_on in on.items() if is_on)


@asynccontextmanager
async def senders(channels: Channels, allowed: Networks) -> AsyncIterator[Mapping[str, Sender]]:
    """Yield a sender for each channel that is switched on."""
    async with AsyncExitStack() as stack:
        post = await stack.enter_async_context(Post(allowed))
        found: dict[str, Sender] = {"webhook": WebhookSender(post)}
        if channels.mail_server is not None:
            found["mail"] = MailSender(channels.mail_server, channels.mail_from)
        if channels.chat_robots:
            from api.delivery.chat import ChatSender  # Apprise takes a second to load, and few need it

            found["chat"] = ChatSender()
        if channels.sms is not None:
            found["sms"] = GatewaySender(channels.sms, post)
        if channels.voice is not None:
            found["voice"] = GatewaySender(channels.voice, post)
        if channels.mqtt is not None:
            found["mqtt"] = await stack.enter_async_context(channels.mqtt)
        yield found
