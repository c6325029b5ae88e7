"""Passwords, lockout and the second factor, as rules."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from api import accounts
from api.accounts import Lock
from api.errors import BadRequest
from api.seal import Seal
from missions.errors import WorkFailed

NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "password", ["short one", "x" * 201, "wangwangwang", "password123456", "aaaaaaaaaaaaaaaa", "123456123456"]
)
def test_a_password_that_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(BadRequest):
        accounts.check_password(password, "wang")


@pytest.mark.parametrize("password", ["three red cranes over rice", "山高水长云淡风轻天地宽阔"])
def test_a_sentence_is_taken_in_any_script(password: str) -> None:
    accounts.check_password(password, "wang")


def test_only_the_right_password_opens_and_an_account_without_one_never_does() -> None:
    kept = accounts.hash_password("three red cranes")
    assert kept.startswith("$argon2id$")
    assert accounts.is_password(kept, "three red cranes")
    assert not accounts.is_password(kept, "three red crane")
    assert not accounts.is_password(None, "three red cranes")


def test_the_fifth_failure_shuts_and_each_further_one_longer_but_never_for_good() -> None:
    lock, shut_s = Lock(), []
    for _ in range(14):
        lock = accounts.after_failure(lock, NOW)
        shut_s.append((lock.until - NOW).total_seconds() if lock.until else 0)
    assert shut_s[:7] == [0, 0, 0, 0, 60, 120, 240]
    assert max(shut_s) == 3600
    assert lock.is_shut(NOW)
    assert not lock.is_shut(NOW + timedelta(hours=1))


def test_a_code_counts_once_and_a_step_of_drift_is_forgiven() -> None:
    secret = accounts.new_secret()
    code = pyotp.TOTP(secret).at(NOW)
    step = accounts.totp_step(secret, code, wall_now=NOW, used=0)
    assert step == int(NOW.timestamp()) // 30
    assert accounts.totp_step(secret, code, wall_now=NOW, used=step) is None
    for drift_s, taken in ((-30, True), (30, True), (-60, False), (60, False)):
        there = NOW + timedelta(seconds=drift_s)
        assert (accounts.totp_step(secret, code, wall_now=there, used=0) is not None) == taken


def test_rfc_6238_codes_are_told_right() -> None:
    """The SHA-1 rows of RFC 6238 appendix B, cut to six digits."""
    known = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # base32 of 12345678901234567890
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924")):
        at = datetime.fromtimestamp(seconds, UTC)
        assert accounts.totp_step(known, code, wall_now=at, used=0) == seconds // 30


def test_a_sealed_secret_opens_only_with_its_key() -> None:
    seal = Seal.fresh()
    shut = seal.shut("秘密")
    assert "秘密" not in shut
    assert seal.open(shut) == "秘密"
    with pytest.raises(WorkFailed, match="seal-key"):
        Seal.fresh().open(shut)
