"""What a caller of the service can be told is wrong.

    ServiceError
    ├── Unauthenticated     no token, or one we do not know        401
    ├── Forbidden           a known caller without the right       403
    ├── NotFound            not there, or not the caller's to see  404
    ├── Conflict            not in the state it is in              409
    ├── TooLarge            more bytes than we take                413
    ├── BadRequest          cannot be understood                   422
    └── Unavailable         a part we need does not answer         503

HTTP is known in `app.py` alone, which maps each class to its status.
"""

from missions.errors import GridpatrolError


class ServiceError(GridpatrolError):
    """Base of what a caller is told; `code` is the word for programs."""

    code = "error"


class Unauthenticated(ServiceError):
    code = "unauthenticated"


class Forbidden(ServiceError):
    code = "forbidden"


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


class Unavailable(ServiceError):
    code = "unavailable"
