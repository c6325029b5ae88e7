"""What a caller of the service can be told is wrong.

    ServiceError
    ├── Unauthenticated     no token, or one we do not know        401
    ├── Forbidden           a known caller without the right       403
    ├── NotFound            not there, or not the caller's to see  404
    ├── Conflict            not in the state it is in              409
    │   └── IllegalMove     no such step from there; says which are
    ├── Stale               If-Match names an older version        412
    ├── TooLarge            more bytes than we take                413
    ├── BadRequest          cannot be understood                   422
    ├── TooMany             asks more often than is allowed        429
    └── Unavailable         a part we need does not answer         503

HTTP is known in `app.py` alone, which maps each class to its status.
"""

from collections.abc import Iterable

from missions.errors import GridpatrolError


class ServiceError(GridpatrolError):
    """Base of what a caller is told; `code` is the word for programs."""

    code = "error"


class Unauthenticated(ServiceError):
    code = "unauthenticated"


class Forbidden(ServiceError):
    code = "forbidden"


class SecondFactorFirst(Forbidden):
    """The login is half a login until a second factor is set up."""

    code = "second_factor_first"

    def __init__(self) -> None:
        super().__init__("set up your second factor first: POST /v1/account/second-factor")


class NotFound(ServiceError):
    """There is no such thing, or the caller may not know of it: the two look alike on purpose."""

    code = "not_found"

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"there is no {kind} {name!r}, or it is not yours to see")


class Conflict(ServiceError):
    code = "conflict"


class TooLarge(ServiceError):
    code = "too_large"


class BadRequest(ServiceError):
    code = "bad_request"


class TooMany(ServiceError):
    """More requests than are allowed; `retry_after_s` says when the next one is."""

    code = "too_many"

    def __init__(self, what: str, *, retry_after_s: float) -> None:
        super().__init__(f"{what}: try again in {retry_after_s:.0f} s")
        self.retry_after_s = retry_after_s


class Unavailable(ServiceError):
    code = "unavailable"


class IllegalMove(Conflict):
    """There is no such step from where the thing stands; `allowed` are the steps there are."""

    code = "illegal_move"

    def __init__(
        self, kind: str, state: str, act: str, allowed: Iterable[str], because: str | None = None
    ) -> None:
        self.allowed = tuple(str(step) for step in allowed)
        ways = f"allowed: {', '.join(self.allowed)}" if self.allowed else "nothing leads on from there"
        why = f" ({because})" if because else ""
        super().__init__(f"cannot {act} this {kind}, it is {state}{why}; {ways}")


class Stale(ServiceError):
    """The caller's If-Match is of an older version: read again, then decide."""

    code = "stale"
