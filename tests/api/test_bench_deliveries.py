"""What the delivery benches count, on receipts made up to break each rule; and one small real run of each."""

import random
from typing import Any

import pytest

from api.bench import cap
from api.bench.fanout import latencies_ms
from api.bench.killed import Promise, ids_changed, lost, reordered
from api.delivery.cap import cap_document, to_bytes
from api.delivery.signing import Signer
from api.services import Options
from missions.measure import Job, Raw
from missions.model import Site

PROMISED = [Promise(seq, f"m{seq}", 0, f"a{seq}", "delivered") for seq in (1, 2, 3)]


def receipt(number: int, **changes: Any) -> dict[str, Any]:
    told = {"id": f"m{number}", "alert": f"a{number}", "subscriber": 0, "revision": 1}
    return {**told, "sha256": "s", "status": 200, "at": float(number), **changes}


def test_a_run_without_loss_counts_nothing_and_repeats_are_no_fault() -> None:
    receipts = [receipt(1), receipt(1), receipt(2), receipt(1), receipt(3)]
    assert lost(PROMISED, receipts) == 0
    assert reordered(PROMISED, receipts) == 0
    assert ids_changed(PROMISED, receipts) == 0


def test_a_message_that_only_failed_is_lost() -> None:
    assert lost(PROMISED, [receipt(1), receipt(2, status=500), receipt(3)]) == 1


def test_a_first_receipt_before_an_earlier_promise_is_out_of_order() -> None:
    assert reordered(PROMISED, [receipt(1), receipt(3), receipt(2)]) == 1


@pytest.mark.parametrize(
    "receipts",
    [
        [receipt(1), receipt(1, sha256="other bytes")],
        [receipt(1), receipt(1, id="m2")],
        [receipt(1), receipt(9)],
    ],
)
def test_another_id_other_bytes_and_an_unpromised_message_are_counted(receipts: list[Any]) -> None:
    assert ids_changed(PROMISED, receipts) >= 1


def test_a_latency_runs_from_the_commit_to_the_first_2xx() -> None:
    receipts = [
        receipt(1, at=10.1),
        receipt(1, at=10.9),
        receipt(2, at=20.3, alert="b", subscriber=1),
        receipt(3, at=20.2, status=500),
    ]
    assert latencies_ms([10.0, 20.0], receipts) == pytest.approx([100.0, 300.0])


def test_the_checks_of_cap_find_what_is_broken(site: Site, signer: Signer) -> None:
    saying, outline = cap.drawn(random.Random(3), 1)
    document = to_bytes(
        signer.sign_xml(cap_document(saying, site=site, options=Options(), outline=outline))
    ).decode()
    schemas = cap.Schemas.load()
    assert cap.faults_of(document.encode(), schemas, signer) == []
    for old, new, fault in (
        ("<expires>2", "<expires>1", "times"),
        ("zh-CN</language>", "fr-FR</language>", "both languages"),
        (f"<severity>{_text(document, 'severity')}", "<severity>Huge", "schema"),
        (f"<identifier>{_text(document, 'identifier')}", "<identifier>a b", "forbids"),
        (f"<senderName>{_text(document, 'senderName')}", "<senderName>Somebody", "signature"),
    ):
        broken = document.replace(old, new, 1)
        assert broken != document
        assert any(fault in found for found in cap.faults_of(broken.encode(), schemas, signer)), fault


def test_a_short_run_of_the_cap_bench_finds_nothing_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cap, "QUICK_MESSAGES", 25)
    rows = {row.name: row for row in cap.rows(Job(Raw(None), lambda _: None, quick=True))}
    assert (rows["cap.invalid"].value, rows["cap.invalid"].ok) == (0, True)


def _text(document: str, element: str) -> str:
    return document.split(f"<{element}>")[1].split("<")[0]
