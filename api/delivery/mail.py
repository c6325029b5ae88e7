"""Mail over the operator's own server. The message id is the delivery's, so that a repeat is seen as one."""

from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib

from api.delivery.sender import Outcome
from api.delivery.wording import worded
from api.store.outbox import Leased
from missions.errors import InputWrong

TIMEOUT_S = 30.0
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over: smtp://, smtp+starttls:// or smtps:// [user:password@]host[:port]."""

    host: str
    port: int
    security: str
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str) -> "MailServer":
        """Return the server of a URL.

        Raises:
            InputWrong: it is of another form.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            # The URL is not repeated: it may hold a password.
            raise InputWrong(f"mail server: expected {', '.join(f'{s}://HOST' for s in _PORTS)}")
        return cls(
            parts.hostname,
            parts.port or _PORTS[parts.scheme],
            parts.scheme,
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )


class MailSender:
    """Sends alerts to mailboxes."""

    def __init__(self, server: MailServer, sender: str) -> None:
        self._server = server
        self._sender = sender

    async def send(self, message: Leased) -> Outcome:
        """Return how one try went: a refused mailbox is final, a busy server is not."""
        try:
            code, said = await self._hand_over(mail_of(message, self._sender))
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = error.recipients[0]
            return _judged(refused.code, str(refused.message))
        except aiosmtplib.SMTPResponseException as error:
            return _judged(error.code, str(error.message))
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return Outcome(f"no mail server: {type(error).__name__} {error}".rstrip())
        return Outcome(status=code, note=said)

    async def _hand_over(self, mail: EmailMessage) -> tuple[int | None, str]:
        server = self._server
        _, said = await aiosmtplib.send(
            mail,
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.security == "smtps",
            start_tls=server.security == "smtp+starttls",
            timeout=TIMEOUT_S,
        )
        return 250, said[:200]


def mail_of(message: Leased, sender: str) -> EmailMessage:
    """Return an alert as a mail in its reader's language; line breaks in names cannot make headers."""
    told = worded(message.body, message.language)
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = message.address
    mail["Subject"] = " ".join(told.subject.split())
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2].strip('>')}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = message.language
    mail.set_content(f"{told.title}\n\n{told.body}\n")
    return mail


def _judged(code: int, said: str) -> Outcome:
    return Outcome(f"the mail server answered {code} {said[:200]}", can_retry=code < 500, status=code)
