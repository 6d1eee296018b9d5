"""How the API says no: one shape for every error, `{"error": {"code", "message", "where"}}`.

Nothing that the asker sent is repeated in an answer; `where` names the field, not its value.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from perezvon.runtime.local import Refused
from perezvon.runtime.ports import Unavailable
from perezvon.store.paging import BadQuery

RETRY_AFTER_S: Final = 2

STATUS_OF: Final = {
    "invalid": 422,
    "internal": 500,
    "malformed": 400,
    "too_large": 413,
    "unknown_action": 501,
    "unknown_agent": 404,
    "unknown_debt": 404,
    "unknown_call": 404,
    "unknown_device": 404,
    "unknown_group": 404,
    "unknown_queue": 404,
    "agent_busy": 409,
    "telephone_away": 409,
    "not_dialled": 409,
    "on_the_line": 409,
    "in_transfer": 409,
    "not_his_call": 409,
    "not_transferred": 409,
    "not_free": 409,
    "no_transfer": 409,
    "no_talk": 409,
    "no_supervision": 409,
    "no_telephone": 409,
    "too_many": 409,
    "unknown_plan": 404,
    "stale_base": 409,
}
"""Of refusals by the engine; any other is 422: it was understood, and will not be."""

CODE_OF: Final = {
    400: "malformed",
    401: "unauthorised",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
}


class Problem(BaseModel):
    code: str
    message: str
    where: str = ""


class ErrorBody(BaseModel):
    error: Problem


class ApiError(Exception):
    """Says no with a status and a code of its own."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        where: str = "",
        *,
        retry_after_s: int = 0,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """`details`: what a page needs besides, in JSON; the route declares their shape."""
        super().__init__(message)
        self.status = status
        self.headers = {"Retry-After": str(retry_after_s)} if retry_after_s else {}
        self.problem = Problem(code=code, message=message, where=where)
        self.details = details


def answer(
    status: int,
    code: str,
    message: str,
    where: str = "",
    headers: dict[str, str] | None = None,
    details: Mapping[str, Any] | None = None,
) -> JSONResponse:
    problem = {"code": code, "message": message, "where": where}
    return JSONResponse({"error": {**problem, **(details or {})}}, status, headers)


def not_found(what: str) -> ApiError:
    return ApiError(404, "not_found", f"there is no such {what}")


def install(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def on_api_error(_request: Request, error: ApiError) -> JSONResponse:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}  # noqa: PLR2004
        problem = error.problem
        headers |= error.headers
        return answer(
            error.status, problem.code, problem.message, problem.where, headers, error.details
        )

    @app.exception_handler(Refused)
    async def on_refused(_request: Request, error: Refused) -> JSONResponse:
        return answer(STATUS_OF.get(error.code, 422), error.code, error.message, error.where)

    @app.exception_handler(Unavailable)
    async def on_unavailable(_request: Request, _error: Unavailable) -> JSONResponse:
        # Its text names files and databases, which is for the log and not for the asker.
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        return answer(503, "unavailable", "a part of the system is away; try again", "", headers)

    @app.exception_handler(BadQuery)
    async def on_bad_query(_request: Request, error: BadQuery) -> JSONResponse:
        return answer(422, "invalid", str(error))

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        return answer(422, "invalid", str(first["msg"]), where)

    @app.exception_handler(HTTPException)
    async def on_http(_request: Request, error: HTTPException) -> JSONResponse:
        code = CODE_OF.get(error.status_code, "failed")
        headers = dict(error.headers) if error.headers else None
        return answer(error.status_code, code, str(error.detail), "", headers)

    @app.exception_handler(Exception)
    async def on_bug(_request: Request, _error: Exception) -> JSONResponse:
        return answer(500, "internal", "we failed at this; it is noted")
