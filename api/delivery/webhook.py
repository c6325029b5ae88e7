"""Signed webhooks after the Standard Webhooks specification.

Headers `webhook-id`, `webhook-timestamp`, `webhook-signature`; the signature is
made anew for each try, over the same id and body, and while a secret is being
changed there is one by each. The timestamp is the wall clock's, also in a
simulation, because a receiver checks it against its own.
"""

from datetime import UTC, datetime

from standardwebhooks import Webhook

from api.delivery.message import CONTENT_TYPE
from api.delivery.post import Post
from api.delivery.sender import Outcome
from api.store.outbox import Leased


class WebhookSender:
    """Sends messages to agencies' own programs."""

    def __init__(self, post: Post) -> None:
        self._post = post

    async def send(self, message: Leased) -> Outcome:
        """Return how one try went."""
        return await self._post.send(message.address, message.body.encode(), _signed(message))


def _signed(message: Leased) -> dict[str, str]:
    now = datetime.now(UTC)
    signatures = (Webhook(secret).sign(message.id, now, message.body) for secret in message.secrets)
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
        "Content-Type": CONTENT_TYPE,
    }
