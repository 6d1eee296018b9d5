"""The one table of who may open which door. A route that is not in it fails the tests.

Each has the lowest of the broad scopes of keys that opens it (empty: anybody, without signing in;
`-`: no key at all), and the roles that do. It repeats `api.roles` on purpose: a slip there must
not be a slip here.
"""

from typing import Final

ALL: Final = "owner admin supervisor controller agent viewer integrator"
PEOPLE: Final = "owner admin supervisor controller agent viewer"
WORK: Final = "owner supervisor agent integrator"
LEAD: Final = "owner supervisor"
ADMIN: Final = "owner admin"

SCREEN: Final = ("GET /auth",)
"""Doors of a screen on the wall, beside those of anybody; the live feed is no route."""

DOORS: Final[dict[str, tuple[str, str]]] = {
    "GET /health": ("", ALL),
    "GET /ready": ("", ALL),
    "GET /setup": ("", ALL),
    "POST /setup": ("", ALL),
    "POST /sessions": ("", ALL),
    "DELETE /sessions/current": ("", ALL),
    "GET /sessions": ("-", PEOPLE),
    "DELETE /sessions/{session}": ("-", PEOPLE),
    "GET /auth": ("read", ALL),
    "PUT /auth/password": ("-", PEOPLE),
    "PUT /auth/language": ("-", PEOPLE),
    "GET /saved-views": ("-", PEOPLE),
    "POST /saved-views": ("-", PEOPLE),
    "DELETE /saved-views/{view}": ("-", PEOPLE),
    "POST /auth/totp": ("-", PEOPLE),
    "PUT /auth/totp": ("-", PEOPLE),
    "POST /auth/totp/removal": ("-", PEOPLE),
    "GET /users": ("admin", ADMIN),
    "POST /users": ("admin", ADMIN),
    "GET /users/{user}": ("admin", ADMIN),
    "PATCH /users/{user}": ("admin", ADMIN),
    "DELETE /users/{user}": ("admin", ADMIN),
    "PUT /users/{user}/password": ("admin", ADMIN),
    "DELETE /users/{user}/sessions": ("admin", ADMIN),
    "GET /keys": ("admin", ADMIN),
    "POST /keys": ("admin", ADMIN),
    "DELETE /keys/{key}": ("admin", ADMIN),
    "GET /audit": ("admin", ADMIN),
    "GET /board-links": ("admin", "owner admin supervisor"),
    "POST /board-links": ("admin", "owner admin supervisor"),
    "DELETE /board-links/{link}": ("admin", "owner admin supervisor"),
    "POST /board-sessions": ("", ALL),
    "GET /calls": ("read", "owner supervisor controller agent viewer integrator"),
    "GET /calls/{call}": ("read", "owner supervisor controller agent viewer integrator"),
    "GET /calls/{call}/results": ("read", "owner supervisor controller agent viewer integrator"),
    "GET /placed-calls": ("read", "owner supervisor controller agent viewer integrator"),
    "GET /placed-calls/{call}": ("read", "owner supervisor controller agent viewer integrator"),
    "POST /calls": ("act", WORK),
    "POST /calls/{call}/transfer": ("act", "owner supervisor agent"),
    "POST /calls/{call}/transfer/completion": ("act", "owner supervisor agent"),
    "DELETE /calls/{call}/transfer": ("act", "owner supervisor agent"),
    "POST /calls/{call}/rejoin": ("act", "owner supervisor agent"),
    "PUT /calls/{call}/result": ("act", WORK),
    "GET /persons/{person}": ("act", "owner supervisor agent"),
    "GET /desk": ("act", "owner supervisor agent"),
    "GET /desk/calls": ("act", WORK),
    "GET /desk/missed": ("act", WORK),
    "GET /desk/next": ("act", WORK),
    "GET /calls/{call}/explanation": ("read", "owner supervisor controller agent integrator"),
    "GET /calls/{call}/story": (
        "read",
        "owner supervisor controller agent viewer integrator",
    ),
    "GET /calls/{call}/evidence": ("admin", ADMIN),
    "POST /persons/search": ("act", "owner supervisor agent integrator"),
    "GET /calls/{call}/recordings": ("act", "owner supervisor controller viewer"),
    "GET /recordings/{recording}": ("act", "owner supervisor controller viewer"),
    "GET /recordings/{recording}/peaks": ("act", "owner supervisor controller viewer"),
    "GET /debts": ("read", "owner supervisor agent viewer integrator"),
    "GET /debts.csv": ("read", "owner supervisor agent viewer integrator"),
    "GET /debts/{debt}": ("read", "owner supervisor agent viewer integrator"),
    "GET /debts/{debt}/explanation": ("read", "owner supervisor controller agent integrator"),
    "POST /debts/{debt}/callback": ("act", WORK),
    "PUT /debts/{debt}/owner": ("act", LEAD),
    "POST /debts/{debt}/waiver": ("act", LEAD),
    "GET /attempts": ("read", "owner supervisor agent viewer integrator"),
    "GET /agents": ("read", "owner admin supervisor controller agent integrator"),
    "GET /agents/{agent}/statuses": ("read", "owner admin supervisor agent integrator"),
    "PUT /agents/{agent}/device": ("act", "owner supervisor agent"),
    "PUT /agents/{agent}/loans/{group}": ("act", "owner supervisor"),
    "DELETE /agents/{agent}/loans/{group}": ("act", "owner supervisor"),
    "PUT /agents/{agent}/status": ("act", "owner supervisor agent"),
    "POST /phone/credentials": ("admin", "owner supervisor agent"),
    "GET /phone/ice": ("admin", "owner supervisor agent"),
    "GET /alerts": ("read", "owner admin supervisor"),
    "GET /ledger": ("read", "owner admin supervisor controller viewer integrator"),
    "GET /plan": ("admin", "owner admin integrator"),
    "PUT /plan": ("admin", ADMIN),
    "GET /plan/tree": ("admin", "owner admin integrator"),
    "GET /plan/schema": ("admin", "owner admin integrator"),
    "GET /plan/versions": ("admin", "owner admin integrator"),
    "GET /plan/versions/{version}": ("admin", "owner admin integrator"),
    "GET /plan/versions/{version}/changes": ("admin", "owner admin integrator"),
    "POST /plan/check": ("admin", "owner admin integrator"),
    "POST /plan/preview/callback": ("admin", "owner admin integrator"),
    "POST /phones/{agent}/settings": ("admin", ADMIN),
    "POST /plan/preview/hours": ("admin", "owner admin integrator"),
    "GET /metrics": ("read", "owner admin supervisor"),
}
