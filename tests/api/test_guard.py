"""Where webhooks may go: the open internet over https, and what the operator allows."""

import ipaddress

import httpx
import pytest

from api.app import create_app
from api.delivery.guard import Refused, check_url, is_public
from api.services import Services
from api.store import tokens
from api.store.tokens import Role
from tests.api.world import NOW

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",  # the metadata service of clouds
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
    ],
)
def test_addresses_inside_a_network_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_of_the_open_internet_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "https://127.0.0.1:8000/hook",
        "http://localhost/",
        "http://2130706433/",  # 127.0.0.1 as one number
        "http://0x7f.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://8.8.8.8/",  # public, but not https
        "ftp://8.8.8.8/",
        "file:///etc/passwd",
        "https://user:secret@8.8.8.8/",
        "https:///nohost",
        "not a url",
        "https://nowhere.invalid/",
        "https://" + "a" * 300 + ".example/",
        "",
    ],
)
async def test_a_url_that_leads_inside_or_nowhere_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        await check_url(url)


async def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    target = await check_url("https://8.8.8.8/hook?x=1")
    assert (target.address, target.url.path) == ("8.8.8.8", "/hook")


async def test_a_network_the_operator_allows_may_be_reached_also_without_tls() -> None:
    assert (await check_url("http://127.0.0.1:9/", LOOPBACK)).address == "127.0.0.1"
    assert (await check_url("http://[::ffff:127.0.0.1]/", LOOPBACK)).address
    with pytest.raises(Refused):
        await check_url("http://10.0.0.1/", LOOPBACK)


async def test_setting_a_webhook_into_our_network_is_refused_in_words(strict: Services) -> None:
    async with strict.database.write() as session:
        token = await tokens.issue(session, role=Role.OPERATOR, name="desk", now=NOW)
    headers = {"Authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(create_app(strict))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        body = {"url": "http://169.254.169.254/latest/meta-data"}
        reply = await client.put("/v1/agencies/forestry/webhook", json=body)
    assert reply.status_code == 422
    assert "not a public address" in reply.json()["message"]
