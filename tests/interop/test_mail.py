"""Mail handed over to a real SMTP server (aiosmtpd): in the reader's language, refusals told apart."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from api.delivery.mail import MailSender, MailServer
from missions.errors import InputWrong
from tests.interop.receiving import leased


@dataclass
class Box:
    """A mailbox that keeps what it gets, or answers with `reply` instead."""

    reply: str = ""
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.reply:
            return self.reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken in hand"


@pytest.fixture
def box() -> Iterator[Box]:
    kept = Box()
    controller = Controller(kept, hostname="127.0.0.1", port=20051)
    controller.start()
    yield kept
    controller.stop()


@pytest.fixture
def sender() -> MailSender:
    return MailSender(MailServer.parse("smtp://127.0.0.1:20051"), "Gridpatrol <alerts@patrol.example>")


async def test_an_alert_arrives_as_mail_in_the_readers_language(box: Box, sender: MailSender) -> None:
    for language in ("zh-CN", "en-US"):
        outcome = await sender.send(leased("mail", "duty@forestry.example", language=language))
        assert (outcome.error, outcome.status) == (None, 250)
    chinese, english = box.mails
    assert chinese["subject"] == "[红色] 疑似火情：7号塔"
    assert english["subject"] == '[red] Suspected fire: "tower" 7'
    assert "about 12.5 m²" in english.get_content()
    assert "https://patrol.example/v1/frames/f1/marked.jpg" in english.get_content()


async def test_a_repeat_bears_the_same_message_id(box: Box, sender: MailSender) -> None:
    for _ in range(2):
        await sender.send(leased("mail", "duty@forestry.example"))
    assert {mail["message-id"] for mail in box.mails} == {"<msg_1f0c@patrol.example>"}


async def test_a_line_break_in_a_name_makes_no_header(box: Box, sender: MailSender) -> None:
    await sender.send(leased("mail", "duty@forestry.example"))
    assert box.mails[0]["bcc"] is None


@pytest.mark.parametrize(("reply", "can_retry"), [("550 no such user", False), ("451 try later", True)])
async def test_a_refused_mailbox_is_final_and_a_busy_server_is_not(
    box: Box, sender: MailSender, reply: str, can_retry: bool
) -> None:
    box.reply = reply
    outcome = await sender.send(leased("mail", "duty@forestry.example"))
    assert outcome.can_retry is can_retry
    assert reply.split()[0] in (outcome.error or "")


async def test_no_mail_server_is_tried_again() -> None:
    outcome = await MailSender(MailServer.parse("smtp://127.0.0.1:9"), "a@b").send(leased("mail", "c@d"))
    assert outcome.error
    assert outcome.can_retry


def test_a_mail_servers_url_says_how_to_speak_to_it() -> None:
    assert MailServer.parse("smtps://u:p%40@mail.example") == MailServer(
        "mail.example", 465, "smtps", "u", "p@"
    )
    with pytest.raises(InputWrong) as error:
        MailServer.parse("http://u:secret@mail.example")
    assert "secret" not in str(error.value)
