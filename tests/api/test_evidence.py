"""Evidence: what was seen and why somebody was told, provable by the file alone; who sees how much of it."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from sqlalchemy import select, update

from api import audit, custody, evidence
from api.delivery.signing import Signer, open_signer
from api.privacy import COARSE_M, cell_px, reduced, sharp_part
from api.retention import Keeping, sweep
from api.services import Services
from api.store import tokens
from api.store.models import AlertRow, FrameRow
from api.store.tables.delivery import CustodyRow
from api.store.tokens import Role
from missions.clock import FakeClock
from missions.program import main
from tests.api.world import BORDER, FOREST, NOW, PICTURE, fire, frame_id, report

Client = Callable[[str | None], httpx.AsyncClient]

# 100 m across 400 pixels: a quarter of a metre each.
SQUARE = [[119.4145, 30.2805], [119.4155386, 30.2805], [119.4155386, 30.2796], [119.4145, 30.2796]]


def noise() -> np.ndarray:
    return np.random.default_rng(7).integers(0, 255, (300, 400, 3), np.uint8)


async def fire_in_colour(services: Services) -> str:
    """Report a fire seen by the RGB camera, its real picture in the store; return the alert's id."""
    await report(services, 1, fire(1, FOREST))
    picture = cv2.imencode(".jpg", noise(), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    await services.pictures.put("frames/1.jpg", picture)
    values = {
        "sensor": "rgb",
        "key": "frames/1.jpg",
        "name": "GP_0001_W.JPG",
        "footprint": SQUARE,
        "sha256": hashlib.sha256(picture).hexdigest(),
    }
    async with services.database.write() as session:
        await session.execute(update(FrameRow).where(FrameRow.id == frame_id(1)).values(**values))
        return str((await session.scalars(select(AlertRow.id))).one())


def unpacked(data: bytes) -> tuple[dict, dict[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        held = {name: package.read(name) for name in package.namelist()}
    return json.loads(held["manifest.json"]), held


def repacked(held: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, data in held.items():
            package.writestr(name, data)
    return out.getvalue()


async def test_the_operators_package_holds_the_picture_as_flown_and_the_chain_of_reasons(
    services: Services, client_of: Client
) -> None:
    alert = await fire_in_colour(services)
    answer = await client_of("operator").get(f"/v1/alerts/{alert}/evidence.zip")
    manifest, held = unpacked(answer.content)
    verdict = evidence.verify(answer.content, certificate_pem=services.signer.certificate_pem)
    assert (verdict.faults, verdict.pictures, verdict.as_flown) == ((), 1, 1)
    (picture,) = manifest["pictures"]
    assert held[picture["file"]] == await services.pictures.get("frames/1.jpg")
    assert picture["drone"] == {"id": "D1", "serial": "GP1-0001", "model": "GP-1"}
    assert picture["dock"] == {"id": "dock-east", "serial": "GPD-01"}
    assert picture["clock"]["source"] == "satellite"
    taken = [line["act"] for line in picture["before_custody"]]
    assert taken == ["taken", "kept, its hash compared", "searched"]
    assert picture["custody"] == [], "handed out for the first time"
    assert manifest["models"] == ["test 1"]
    assert manifest["reasons"][0]["reason"]
    assert manifest["told"][0]["reason"] == "first"
    assert picture["marked"] in held
    async with services.database.read() as session:
        assert (await audit.page(session))[0].action == "evidence.export"


async def test_an_agency_gets_what_lies_outside_the_incident_coarse_and_the_hash_at_capture(
    services: Services, client_of: Client
) -> None:
    alert = await fire_in_colour(services)
    answer = await client_of("forestry").get(f"/v1/alerts/{alert}/evidence.zip")
    manifest, held = unpacked(answer.content)
    (picture,) = manifest["pictures"]
    assert evidence.verify(answer.content).holds
    assert picture["form"] == "reduced outside the incident"
    assert picture["reduction"]["cell_px"] >= 2
    assert "no detector" in picture["reduction"]["how"]
    assert (
        picture["sha256_at_capture"]
        == hashlib.sha256(await services.pictures.get("frames/1.jpg") or b"").hexdigest()
    )
    shown = cv2.imdecode(np.frombuffer(held[picture["file"]], np.uint8), cv2.IMREAD_COLOR)
    outside = shown[100:, 100:].astype(float)
    assert (
        np.abs(np.diff(outside[::2], axis=1)).mean() < np.abs(np.diff(noise()[100:, 100:], axis=1)).mean() / 2
    )
    assert (await client_of("village").get(f"/v1/alerts/{alert}/evidence.zip")).status_code == 404


async def test_a_key_without_the_right_gets_no_whole_picture_and_one_with_it_is_audited(
    services: Services, client_of: Client
) -> None:
    await fire_in_colour(services)
    path = f"/v1/frames/{frame_id(1)}/picture"
    whole = await services.pictures.get("frames/1.jpg")
    forestry = client_of("forestry")
    assert (await forestry.get(path)).content != whole
    assert (await forestry.get(path, params={"as_flown": True})).status_code == 403
    async with services.database.write() as session:
        scopes = ["frames:read", "unblurred:read"]
        key = await tokens.issue(
            session, role=Role.AGENCY, name="investigator", agency="forestry", now=NOW, scopes=scopes
        )
    allowed = {"Authorization": f"Bearer {key}"}
    answer = await client_of(None).get(path, params={"as_flown": True}, headers=allowed)
    assert answer.content == whole
    async with services.database.read() as session:
        entry = (await audit.page(session))[0]
        custody = (await session.scalars(select(CustodyRow))).all()
    assert (entry.action, entry.actor, entry.target) == ("picture.unblur", "investigator", frame_id(1))
    assert [line.act for line in custody] == ["shown as flown to investigator"]
    assert (await client_of("operator").get(path)).content == whole


def test_outside_the_incident_a_person_is_one_pixel_and_inside_nothing_changes() -> None:
    image = noise()
    row = FrameRow(sensor="rgb", footprint=SQUARE)
    cell = cell_px(row, image.shape[1])
    assert cell * 0.25 >= COARSE_M
    coarse = reduced(image, [sharp_part((100, 100, 140, 140), None)], cell_px=cell)
    assert (coarse[95:145, 95:145] == image[95:145, 95:145]).all()
    corner = coarse[: cell - 1, : cell - 1].reshape(-1, 3)
    assert (corner == corner[0]).all(), "one cell has one colour"


def test_what_lies_in_an_incidents_box_but_outside_its_outline_is_coarse() -> None:
    """A flood's box may be the whole picture: only its water stays sharp, and not who stands on the bank."""
    image = noise()
    river = [[0, 40], [199, 60], [199, 80], [0, 60]]
    part = sharp_part((0, 40, 199, 80), river)
    coarse = reduced(image, [part], cell_px=10)
    assert (coarse[58:62, 50:150] == image[58:62, 50:150]).all(), "the water"
    assert part.margin_px == 10
    for rows, columns in ((slice(20, 30), slice(150, 190)), (slice(110, 120), slice(10, 50))):
        cells = coarse[rows, columns].reshape(10, -1, 10, 3)
        assert (cells == cells[:1, :, :1]).all(), "each cell has one colour"


@pytest.mark.parametrize("place", range(12))
def test_a_person_outside_the_incident_is_no_more_than_the_cells_stood_on(place: int) -> None:
    """Half a metre of somebody, wherever that is, changes the four cells under it at most."""
    row = FrameRow(sensor="rgb", footprint=SQUARE)
    ground = np.full_like(noise(), 90)
    cell = cell_px(row, ground.shape[1])
    x, y = 5 + 7 * place % 60, 5 + 11 * place % 60
    person = ground.copy()
    person[y : y + cell, x : x + cell] = (20, 40, 230)
    person[y : y + cell : 2, x : x + cell : 2] = (240, 240, 240)
    sharp = [sharp_part((100, 100, 140, 140), None)]
    changed = (reduced(person, sharp, cell_px=cell) != reduced(ground, sharp, cell_px=cell)).any(axis=2)
    assert changed[: y + 2 * cell, : x + 2 * cell].sum() == changed.sum() <= 4 * (cell + 1) ** 2


def test_a_picture_of_unknown_scale_is_reduced_to_a_few_cells() -> None:
    assert cell_px(FrameRow(sensor="rgb", footprint=None), 1280) == 40


async def test_who_had_a_picture_is_told_to_its_agency_and_kept_from_another_and_provable_to_both(
    services: Services, client_of: Client
) -> None:
    """The fire on the border is told to both; each reads its own lines, and the chain holds for both."""
    await report(services, 1, fire(1, BORDER, area_m2=20.0))
    await services.pictures.put("frames/1.tif", PICTURE)
    alerts = {}
    for who in ("forestry", "village", "operator"):
        for alert in (await client_of(who).get("/v1/alerts")).json()["alerts"]:
            alerts[who] = alert["id"]
    for who in ("forestry", "village"):
        assert (await client_of(who).get(f"/v1/alerts/{alerts[who]}/evidence.zip")).status_code == 200
    answer = await client_of("village").get(f"/v1/alerts/{alerts['village']}/evidence.zip")
    manifest, held = unpacked(answer.content)
    (picture,) = manifest["pictures"]
    first, second = picture["custody"]
    assert (first["act"], "by" in first) == (custody.WITHHELD, False)
    assert second["by"] == "village desk"
    assert evidence.verify(answer.content).holds
    assert "forestry" not in held["manifest.json"].decode()
    whole = await client_of("operator").get(f"/v1/alerts/{alerts['village']}/evidence.zip")
    log = unpacked(whole.content)[0]["pictures"][0]["custody"]
    assert [line["by"] for line in log] == ["forestry desk", "village desk", "village desk"]


@pytest.mark.parametrize("change", ["act", "leave out", "swap", "another picture"])
def test_a_custody_log_that_was_changed_is_found_out(change: str) -> None:
    lines, before = [], "ab" * 32
    for number in range(3):
        line = custody.Line(NOW, f"handed out {number}", "Wang", custody.new_nonce())
        before = custody.link(before, line.digest)
        lines.append((custody.withheld if number == 1 else custody.told)(line, before))
    assert custody.fault("ab" * 32, lines) is None
    match change:
        case "act":
            lines[2]["act"] = "looked at"
        case "leave out":
            del lines[1]
        case "swap":
            lines[0], lines[1] = lines[1], lines[0]
    start = "cd" * 32 if change == "another picture" else "ab" * 32
    assert "does not follow" in (custody.fault(start, lines) or "")


@pytest.fixture
def package(signer: Signer) -> bytes:
    picture = b"as it was flown"
    facts = {
        "pictures": [
            {
                "file": "pictures/1.jpg",
                "form": "as flown",
                "sha256_at_capture": hashlib.sha256(picture).hexdigest(),
            }
        ]
    }
    return evidence.packed(facts, {"pictures/1.jpg": picture}, signer)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"pictures/1.jpg": b"another"}, "was changed"),
        ({"pictures/2.jpg": b"added"}, "not named in the manifest"),
        ({"pictures/1.jpg": None}, "is missing"),
        ({"manifest.sig": b"x" * 384}, "not what was signed"),
        ({"manifest.json": b"{}"}, "cannot be read"),
        ({"certificate.pem": b"nonsense"}, "cannot be read"),
        ({"manifest.sig": None}, "lacks manifest.sig"),
    ],
)
def test_whatever_is_changed_is_named(package: bytes, change: dict[str, bytes | None], fault: str) -> None:
    _, held = unpacked(package)
    held |= {name: data for name, data in change.items() if data is not None}
    for name in [name for name, data in change.items() if data is None]:
        del held[name]
    verdict = evidence.verify(repacked(held))
    assert not verdict.holds
    assert fault in "; ".join(verdict.faults)


def test_a_package_signed_anew_by_another_does_not_pass_for_the_operators(
    package: bytes, signer: Signer, tmp_path: Path
) -> None:
    forger = open_signer(tmp_path / "forger.pem", name="forger")
    manifest, held = unpacked(package)
    forged = evidence.packed(
        {k: v for k, v in manifest.items() if k not in ("files", "format")},
        {"pictures/1.jpg": held["pictures/1.jpg"]},
        forger,
    )
    assert evidence.verify(forged).fingerprint == forger.fingerprint != signer.fingerprint
    assert not evidence.verify(forged, certificate_pem=signer.certificate_pem).holds
    assert not evidence.verify(b"no zip at all").holds


def test_the_command_says_whether_a_package_holds(
    package: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "evidence.zip"
    file.write_bytes(package)
    assert main(["evidence", "verify", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["holds"] is True
    file.write_bytes(package.replace(b"as it was flown", b"as it was faked"))
    assert main(["evidence", "verify", str(file)]) == 1
    assert main(["evidence", "verify", str(tmp_path / "none.zip")]) == 2


async def test_what_is_old_is_erased_by_its_class_and_a_hold_keeps_it(
    services: Services, client_of: Client, clock: FakeClock
) -> None:
    await fire_in_colour(services)
    await report(services, 2)
    await services.pictures.put("frames/2.tif", b"nothing to see")
    keeping = Keeping(pictures=90, evidence=1000)
    clock.advance(91 * 86_400)
    assert (await sweep(services, keeping))["pictures"] == 1
    assert await services.pictures.get("frames/2.tif") is None
    assert await services.pictures.get("frames/1.jpg") is not None, "of an incident"
    clock.advance(1000 * 86_400)
    (incident,) = (await client_of("operator").get("/v1/incidents")).json()["incidents"]
    path = f"/v1/incidents/{incident['id']}/hold"
    assert (await client_of("forestry").post(path, json={"reason": "court case"})).status_code == 200
    assert (await client_of("forestry").post(path, json={"reason": "court case"})).status_code == 409
    assert (await sweep(services, keeping))["pictures"] == 0, "held"
    assert (await client_of("forestry").post(f"{path}/lift")).json()["lifted_by"] == "forestry desk"
    assert (await sweep(services, keeping))["pictures"] == 1
    assert (await sweep(services, keeping))["pictures"] == 0, "once"
    assert await services.pictures.get("frames/1.jpg") is None
