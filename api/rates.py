"""How often somebody may ask: counted in this process, by caller and by address.

Gateways are not counted: what they bring must not be lost, and their keys are
the operator's own. Time is the wall's, since it is the machine that is guarded.
"""

import time
from dataclasses import dataclass, field

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.errors import TooMany
from api.store.tokens import Caller, Role

PER_CALLER = RateLimitItemPerMinute(1200)
PER_STRANGER = RateLimitItemPerMinute(120)
PER_LOGIN = RateLimitItemPerMinute(10)


@dataclass(slots=True)
class Rates:
    """The counts of one process. `scale` multiplies what is allowed, for tests that ask a lot."""

    scale: int = 1
    _limiter: MovingWindowRateLimiter = field(
        default_factory=lambda: MovingWindowRateLimiter(MemoryStorage()), repr=False
    )

    def count_caller(self, caller: Caller) -> None:
        """Count one request of a known caller.

        Raises:
            TooMany: it asked more often than is allowed.
        """
        if caller.role is not Role.GATEWAY:
            self._spend(PER_CALLER, f"caller {caller.token}")

    def count_stranger(self, address: str) -> None:
        """Count one request that showed no token that counts.

        Raises:
            TooMany: this address did so too often.
        """
        self._spend(PER_STRANGER, f"stranger {address}")

    def count_login(self, address: str) -> None:
        """Count one try to log in.

        Raises:
            TooMany: this address tried too often.
        """
        self._spend(PER_LOGIN, f"login {address}")

    def _spend(self, rate: RateLimitItem, who: str) -> None:
        allowed = RateLimitItemPerMinute(rate.amount * self.scale)
        if not self._limiter.hit(allowed, who):
            wait_s = max(1.0, self._limiter.get_window_stats(allowed, who).reset_time - time.time())
            raise TooMany("too many requests", retry_after_s=wait_s)
