"""CAP as an independent parser reads it: capparser, written by others for others' alerts."""

from datetime import UTC, datetime
from pathlib import Path

import capparser
import pytest
from signxml import XMLVerifier

from api.delivery.cap import Audience, Kind, Reference, Saying, cap_document, to_bytes
from api.delivery.signing import open_signer
from api.schemas import IncidentOut
from api.services import Options
from missions.model import Hazard, Severity, Site

AT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def saying() -> Saying:
    incident = IncidentOut(
        id="5b0c",
        hazard="fire",
        severity="orange",
        state="open",
        place_name={"en-US": "110 kV Jingle line, towers 45-46", "zh-CN": "110千伏景乐线45至46号塔"},
        lat_deg=30.28,
        lon_deg=119.415,
        ellipse={"major_m": 6.0, "minor_m": 4.0, "bearing_deg": 30.0},
        confidence=0.9,
        area_m2=3.0,
        temp_max_c=512.0,
        opened_at=AT,
        seen_at=AT,
        looks=2,
        frame=None,
        agencies=["forestry"],
    )
    return Saying(
        identifier="7c3d-2",
        alert="7c3d",
        kind=Kind.UPDATE,
        audience=Audience.PUBLIC,
        sent_at=AT,
        hazard=Hazard.FIRE,
        severity=Severity.ORANGE,
        incident=incident,
        references=(Reference("7c3d-1", AT),),
    )


def test_another_parser_reads_what_we_say(saying: Saying, valley: Site) -> None:
    """Unsigned: this parser knows no element of another namespace. It keeps (value, place) pairs."""
    document = cap_document(saying, site=valley, options=Options(cap_sender="patrol.example"))
    alert = capparser.parse(stringXML=to_bytes(document).decode())
    assert (alert.identifier[0], alert.sender[0]) == ("7c3d-2", "patrol.example")
    assert (alert.status[0], alert.scope[0], alert.msgType[0]) == ("Actual", "Public", "Update")
    assert alert.references[0].startswith("patrol.example,7c3d-1,")
    chinese, english = alert.info[0]
    assert (chinese.language[0], english.language[0]) == ("zh-CN", "en-US")
    assert (english.event[0], english.severity[0]) == ("Suspected fire", "Severe")
    (area,) = english.area[0]
    assert area.areaDesc[0] == "110 kV Jingle line, towers 45-46"
    ring = area.polygon[0].split()
    assert ring[0] == ring[-1]


def test_anybody_with_the_certificate_can_verify_it(saying: Saying, valley: Site, tmp_path: Path) -> None:
    """As `xmlsec1 --verify` and cap-composer's peers do: an enveloped RSA-SHA256 signature."""
    signer = open_signer(tmp_path / "signing.pem", name="patrol.example")
    document = to_bytes(signer.sign_xml(cap_document(saying, site=valley, options=Options())))
    verified = XMLVerifier().verify(document, x509_cert=signer.certificate_pem)
    assert verified.signed_xml is not None
    assert verified.signed_xml.tag == "{urn:oasis:names:tc:emergency:cap:1.2}alert"
    # capparser stops at the signature's element, so it is given what was verified: the message without it.
    alert = capparser.parse(stringXML=to_bytes(verified.signed_xml).decode())
    assert (alert.identifier[0], len(alert.info[0])) == ("7c3d-2", 2)
