"""Control characters and half characters: refused at the door, shown as a mark in XML."""

import json
from collections.abc import Callable

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from api import plain
from api.errors import BadRequest
from api.intake import parsed
from api.schemas import FRAME_EXAMPLE
from api.services import Services
from tests.api.test_reports import reported
from tests.api.world import FOREST, fire, report

Client = Callable[[str | None], httpx.AsyncClient]


@given(st.text(alphabet=st.characters()))
@example("\ud800")
@example("\x01")
def test_a_text_made_for_xml_is_one_that_xml_takes_and_a_plain_one_stays_as_it_is(text: str) -> None:
    element = etree.Element("text")
    element.text = plain.for_xml(text)
    assert len(element.text) == len(text)
    if plain.is_plain(text):
        assert plain.for_xml(text) == plain.left_out(text) == text
    else:
        with pytest.raises(ValueError, match=r"XML|surrogates"):
            element.text = text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/cap/public.atom?before=%01",
        "/v1/cap/public.atom?%0b=1",
        "/v1/cap/public/a%00.xml",
        "/v1/cap/a%EF%BF%BF.xml",
    ],
)
async def test_an_address_with_a_control_character_is_refused(client_of: Client, path: str) -> None:
    reply = await client_of("forestry").get(path)
    assert (reply.status_code, reply.json()["error"]) == (422, "bad_request")
    assert "control character" in reply.json()["message"]


@pytest.mark.parametrize("letter", ["\x00", "\x07", "\x0b", "\x1f", "\ud83d", "\uffff"])
async def test_a_note_with_a_control_character_is_refused(
    services: Services, client_of: Client, letter: str
) -> None:
    recorded = await report(services, 1, fire(1, FOREST))
    (alert,) = recorded.alerts
    for body in (
        json.dumps({"note": f"over{letter}"}),
        json.dumps({"note": f"over{letter}"}, ensure_ascii=False).encode(errors="surrogatepass"),
    ):
        reply = await client_of("forestry").post(
            f"/v1/alerts/{alert}/cancel", content=body, headers={"Content-Type": "application/json"}
        )
        assert reply.status_code == 422
    kept = await client_of("forestry").post(f"/v1/alerts/{alert}/cancel", json={"note": "over\n\t火 🔥"})
    assert kept.status_code == 200
    assert (await client_of("forestry").get("/v1/cap/feed.atom")).status_code == 200


async def test_a_residents_report_is_taken_without_them(client_of: Client) -> None:
    """No word of a fire is refused for a stray character."""
    taken = await reported(client_of(None), description="smoke\x00\x0b here", reporter="a\x01b")
    kept = await client_of("forestry").get(f"/v1/reports/{taken['id']}")
    assert kept.json()["text"] == "smoke here"


def test_what_a_gateway_says_of_a_picture_is_held_to_the_same() -> None:
    assert parsed(json.dumps(FRAME_EXAMPLE)).name == FRAME_EXAMPLE["name"]
    with pytest.raises(BadRequest, match=r"meta\.drone"):
        parsed(json.dumps({**FRAME_EXAMPLE, "drone": "D\x01"}))
