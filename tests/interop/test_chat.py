"""Chat robots, text messages and calls against a real HTTP receiver on this machine."""

from typing import Any

import pytest
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.wecombot import NotifyWeComBot

from api.delivery.chat import ChatSender, robot_of
from api.delivery.gateway import GatewaySender, HttpTemplate
from api.delivery.post import Post
from api.errors import BadRequest
from tests.interop.receiving import LOOPBACK, desk, leased

ROBOTS = {
    "dingtalk": (NotifyDingTalk, "dingtalk://abcdefgh12345678/", b'{"errcode": 0}'),
    "wecombot": (NotifyWeComBot, "wecombot://693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa/", b'{"errcode": 0}'),
    "feishu": (NotifyFeishu, "feishu://abcdefgh12345678/", b'{"code": 0}'),
}


def text_of(body: Any) -> str:
    """Return all the text of a robot's message, whatever its form."""
    if isinstance(body, dict):
        return " ".join(text_of(value) for value in body.values())
    return str(body)


@pytest.mark.parametrize("kind", ROBOTS)
async def test_a_robot_posts_the_alert_to_its_group(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin, address, answer = ROBOTS[kind]
    async with desk(answer=answer) as service:
        where = plugin.notify_url.split("/", 3)[-1]
        monkeypatch.setattr(plugin, "notify_url", f"{service.url}/{where}")
        outcome = await ChatSender().send(leased("chat", address, language="zh-CN"))
    assert outcome.error is None
    (request,) = service.got
    assert "疑似火情：7号塔" in text_of(request.json)


async def test_a_refusal_of_the_service_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin, address, _ = ROBOTS["dingtalk"]
    async with desk(status=500) as service:
        monkeypatch.setattr(plugin, "notify_url", f"{service.url}/robot/send?access_token={{token}}")
        outcome = await ChatSender().send(leased("chat", address))
    assert "the chat service refused" in (outcome.error or "")
    assert outcome.can_retry


@pytest.mark.parametrize(
    "address", ["json://169.254.169.254/", "dingtalk://", "file:///etc/passwd", "mailto://u:p@x"]
)
async def test_an_address_of_another_kind_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(BadRequest) as error:
        robot_of(address)
    assert address not in str(error.value) or address == "dingtalk://"
    assert not (await ChatSender().send(leased("chat", address))).can_retry


JSON = HttpTemplate(
    url="",
    headers={"Content-Type": "application/json", "Authorization": "Bearer key"},
    body='{"to": "{phone}", "text": "{text}", "reference": "{id}"}',
    accepts='"code": ?0',
)
FORM = HttpTemplate(
    url="",
    headers={"Content-Type": "application/x-www-form-urlencoded"},
    body="callee={phone}&say={title}&ref={id}",
)


async def test_a_text_message_goes_to_the_operators_gateway_as_it_wants_it() -> None:
    async with desk(answer=b'{"code": 0}') as gateway, Post(LOOPBACK) as post:
        template = JSON.model_copy(update={"url": f"{gateway.url}/sms"})
        outcome = await GatewaySender(template, post).send(leased("sms", "+8613800000000"))
    assert outcome.error is None
    (request,) = gateway.got
    assert request.headers["authorization"] == "Bearer key"
    assert request.json["to"] == "+8613800000000"
    assert request.json["reference"] == "msg_1f0c"
    assert request.json["text"].startswith('[red] Suspected fire: "tower" 7')
    assert request.json["text"].endswith("marked.jpg")
    assert len(request.json["text"]) <= 300


async def test_a_gateway_that_answers_200_and_means_no_is_understood() -> None:
    async with desk(answer=b'{"code": 17, "message": "no credit"}') as gateway, Post(LOOPBACK) as post:
        template = JSON.model_copy(update={"url": gateway.url})
        outcome = await GatewaySender(template, post).send(leased("sms", "+861380"))
    assert "no credit" in (outcome.error or "")


async def test_a_call_is_asked_for_by_a_form_whose_values_add_no_fields() -> None:
    async with desk() as gateway, Post(LOOPBACK) as post:
        template = FORM.model_copy(update={"url": gateway.url})
        message = leased("voice", "13800000000&admin=1", language="zh-CN")
        assert (await GatewaySender(template, post).send(message)).error is None
    assert gateway.got[0].body.decode().split("&")[0] == "callee=13800000000%26admin%3D1"
    assert "admin=1" not in gateway.got[0].body.decode()
