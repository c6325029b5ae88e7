"""The rules of accounts: passwords, lockout, second factor, idle sessions. Pure: the time is handed in.

Passwords follow NIST SP 800-63B section 5.1.1: length counts, composition does
not, and what everybody tries first is refused. The second factor is TOTP
(RFC 6238): a code counts once, and one step of clock drift either way is
forgiven. Ten recovery codes stand in for a lost phone, each once.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.errors import BadRequest

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
FAILURES_ALLOWED = 5
FIRST_LOCK_S, LONGEST_LOCK_S = 60.0, 3600.0
RECOVERY_CODES = 10
TOTP_STEP_S = 30
ISSUER = "Gridpatrol"

_TRIED_FIRST = ("password", "qwerty", "123456", "gridpatrol", "letmein", "admin", "welcome", "iloveyou")

_hasher = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Lock:
    """How many times in a row a login failed, and until when none is tried."""

    failures: int = 0
    until: datetime | None = None

    def is_shut(self, now: datetime) -> bool:
        return self.until is not None and now < self.until


def after_failure(lock: Lock, now: datetime) -> Lock:
    """Return the lock after one more failure; from the fifth on it shuts.

    First for a minute, then for twice as long each time, but never for more than an
    hour, so that nobody is kept out for good by somebody else's guessing.
    """
    failures = lock.failures + 1
    over = failures - FAILURES_ALLOWED
    if over < 0:
        return Lock(failures)
    return Lock(failures, now + timedelta(seconds=min(FIRST_LOCK_S * 2 ** min(over, 10), LONGEST_LOCK_S)))


def check_password(password: str, login: str) -> None:
    """Refuse a new password that is too easy to guess.

    Raises:
        BadRequest: too short, too long, made of the login, or of what everybody tries first.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise BadRequest(
            f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; take a sentence"
        )
    bare = password.lower()
    for word in (login.lower(), *_TRIED_FIRST):
        bare = bare.replace(word, "")
    if len(set(bare)) < SHORTEST_PASSWORD // 3:
        raise BadRequest("this password is tried first by whoever guesses: take words that belong to nobody")


def hash_password(password: str) -> str:
    """Return the argon2id hash to keep. It takes tens of milliseconds: call it in a thread."""
    return _hasher.hash(password)


def is_password(kept: str | None, password: str) -> bool:
    """Return whether a password is the one kept; an account without one takes as long and says no."""
    try:
        _hasher.verify(kept or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def new_secret() -> str:
    """Return a new second-factor secret, as an authenticator takes it (base32)."""
    return pyotp.random_base32()


def secret_uri(secret: str, login: str) -> str:
    """Return the otpauth address that an authenticator reads from a QR picture."""
    return pyotp.TOTP(secret, interval=TOTP_STEP_S).provisioning_uri(name=login, issuer_name=ISSUER)


def totp_step(secret: str, code: str, *, wall_now: datetime, used: int) -> int | None:
    """Return the time step a code belongs to, or None: wrong, too old, or used before.

    wall_now: the wall clock's time, since authenticators know no simulation.
    used: the newest step that has already let somebody in.
    """
    totp = pyotp.TOTP(secret, interval=TOTP_STEP_S)
    current = int(wall_now.timestamp()) // TOTP_STEP_S
    for step in (current, current - 1, current + 1):
        if step > used and pyotp.utils.strings_equal(totp.at(step * TOTP_STEP_S), code.strip()):
            return step
    return None


def new_recovery_codes() -> tuple[str, ...]:
    """Return ten codes to show once."""
    return tuple(f"{secrets.token_hex(4)}-{secrets.token_hex(4)}" for _ in range(RECOVERY_CODES))


def recovery_hash(code: str) -> str:
    """Return what is kept of a recovery code; 64 random bits need no slow hash."""
    return hashlib.sha256(code.strip().lower().encode()).hexdigest()


@cache
def _nobody() -> str:
    """Return the hash of a password nobody has, so that an unknown login costs the same time."""
    return _hasher.hash(secrets.token_hex(16))
