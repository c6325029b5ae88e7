"""Text messages and calls through whatever HTTP gateway the operator has, by a template.

    [sms]
    url = "https://sms.example/send"
    headers = {Authorization = "Bearer KEY", Content-Type = "application/json"}
    body = '{"to": "{phone}", "text": "{text}", "reference": "{id}"}'
    accepts = '"code": ?0'

`{phone}`, `{text}`, `{title}`, `{severity}` and `{id}` are put in, escaped as
the content type asks. Many gateways answer 200 to everything: `accepts` is a
pattern that a good answer's first kilobyte holds.
"""

import json
import re
from urllib.parse import quote_plus

from pydantic import BaseModel, ConfigDict, field_validator

from api.delivery.post import Post
from api.delivery.sender import Outcome
from api.delivery.wording import worded
from api.store.outbox import Leased

_BLANK = re.compile(r"\{(phone|text|title|severity|id)\}")


class HttpTemplate(BaseModel):
    """How the operator's gateway wants to be asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    headers: dict[str, str] = {"Content-Type": "application/json"}
    body: str
    accepts: str | None = None

    @field_validator("accepts")
    @classmethod
    def _is_pattern(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            re.compile(pattern)
        return pattern

    def filled(self, values: dict[str, str]) -> bytes:
        """Return the body with the values put in, so that none of them can add to its structure."""
        kind = next((v for k, v in self.headers.items() if k.lower() == "content-type"), "").lower()

        def escaped(found: re.Match[str]) -> str:
            value = values[found[1]]
            if "json" in kind:
                return json.dumps(value, ensure_ascii=False)[1:-1]
            return quote_plus(value) if "urlencoded" in kind else " ".join(value.split())

        return _BLANK.sub(escaped, self.body).encode()


class GatewaySender:
    """Sends alerts to telephones; the receiver's address is the number."""

    def __init__(self, template: HttpTemplate, post: Post) -> None:
        self._template = template
        self._post = post

    async def send(self, message: Leased) -> Outcome:
        """Return how one try went."""
        told = worded(message.body, message.language)
        values = {
            "phone": message.address,
            "text": told.short,
            "title": told.title,
            "severity": told.severity,
            "id": message.id,
        }
        template = self._template
        outcome = await self._post.send(template.url, template.filled(values), template.headers)
        answer = outcome.reply.decode("utf-8", "replace")
        if outcome.error is None and template.accepts and not re.search(template.accepts, answer):
            return Outcome(f"the gateway did not accept it: {answer[:200]}", status=outcome.status)
        return outcome
