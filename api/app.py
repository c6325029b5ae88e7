"""The web application: routes, rights, and the one place that knows how an error becomes a status."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from structlog.stdlib import get_logger

from api.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    IllegalMove,
    NotFound,
    ServiceError,
    Stale,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from api.headers import SafeHeaders
from api.idempotency import Idempotency, described
from api.lane import KnownKeys, Lane
from api.limits import BodyLimit
from api.observing import Observing
from api.opendata.query import BadQuery
from api.plain import plain_request
from api.routes import ROUTERS, ogc, open311, stac
from api.schemas import Problem
from api.services import Services
from missions.errors import GridpatrolError, InputWrong

log = get_logger(__name__)

STATUS: dict[type[ServiceError], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Stale: 412,
    TooLarge: 413,
    BadQuery: 400,
    BadRequest: 422,
    TooMany: 429,
    Unavailable: 503,
}

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": (kind.__doc__ or kind.code).partition("\n")[0]}
    for kind, status in STATUS.items()
}


def create_app(services: Services) -> FastAPI:
    """Return the application that serves the API, and the page where the options name one."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        services.feed.close()

    app = FastAPI(
        title="Gridpatrol",
        version="1",
        summary="Shared drone flights: docks, sorties, what they found, and who was told.",
        lifespan=lifespan,
        # Behind a token like everything else (routes/session.py); the usual page
        # that shows it would fetch its scripts from the internet.
        openapi_url=None,
        responses=_PROBLEMS,
        dependencies=[Depends(plain_request)],
        # What leaves the service is the choice of the operator; nor is a receiver looked for at each request.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    app.state.services = services
    app.state.observing, app.state.keys = Observing(services), KnownKeys()
    app.add_middleware(Idempotency, services=services)
    app.add_middleware(BodyLimit, frame_bytes=services.options.max_frame_bytes)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Lane, observing=app.state.observing, keys=app.state.keys)
    app.add_exception_handler(GridpatrolError, _explain)
    app.add_exception_handler(RequestValidationError, _explain)
    app.add_exception_handler(HTTPException, _explain)
    app.add_exception_handler(Exception, _explain)
    for router in ROUTERS:
        app.include_router(router, prefix="/v1")
    app.include_router(open311.router)
    app.include_router(ogc.router, prefix="/ogc")
    app.include_router(stac.router, prefix="/stac")
    plain_description = app.openapi
    app.openapi = lambda: described(plain_description())  # type: ignore[method-assign]
    if services.options.console is not None:
        app.mount("/", StaticFiles(directory=services.options.console, html=True), name="console")
    return app


async def _explain(request: Request, error: Exception) -> JSONResponse:
    """Word any error for the caller; what we did not foresee is logged, and told without its insides."""
    status, code, message = _status(error)
    if status == 500:
        log.error("request failed", path=request.url.path, exc_info=error)
    said: dict[str, Any] = {"error": code, "message": message}
    if isinstance(error, IllegalMove):
        said["allowed"] = list(error.allowed)
    return JSONResponse(said, status_code=status, headers=_headers(error))


def _headers(error: Exception) -> dict[str, str] | None:
    match error:
        case Unauthenticated():
            return {"WWW-Authenticate": "Bearer"}
        case TooMany():
            return {"Retry-After": str(math.ceil(error.retry_after_s))}
        case _:
            return None


def _status(error: Exception) -> tuple[int, str, str]:
    match error:
        case ServiceError():
            status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
            return status, error.code, str(error)
        case InputWrong():
            return 422, BadRequest.code, str(error)
        case RequestValidationError():
            return 422, BadRequest.code, "; ".join(_sentence(e) for e in error.errors())
        case HTTPException():
            return error.status_code, "http", str(error.detail)
        case GridpatrolError():
            return 503, Unavailable.code, str(error)
        case _:
            return 500, "internal", "the service failed at this; its log says why"


def _sentence(fault: dict[str, object]) -> str:
    """Return "where: what" of one fault; what was sent is not repeated, it may be a secret."""
    where = fault.get("loc")
    parts = [str(part) for part in where] if isinstance(where, tuple | list) else []
    return f"{'.'.join(parts)}: {fault.get('msg')}"
