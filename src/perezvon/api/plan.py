"""The plan: what is in force, and putting another in its place."""

from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import StringConstraints

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, Ctx, Shown, Text
from perezvon.api.errors import ApiError
from perezvon.api.roles import Permission
from perezvon.runtime.actions import PLAN_BYTES_MAX
from perezvon.runtime.local import ACTION_TIMEOUT_S
from perezvon.store.plan_export import dump

APPLY_TIMEOUT_S: Final = ACTION_TIMEOUT_S + 5
"""A long plan takes its time to read; the engine itself says when it was too long."""

router = APIRouter(tags=["plan"], responses=ERRORS)


class PlanText(Shown):
    version: str
    text: str
    """The plan file, YAML. Secrets are names in it."""


class PlanBody(Shown):
    text: Annotated[str, StringConstraints(min_length=1, max_length=PLAN_BYTES_MAX)]
    base: Text = ""
    """The version that it was made from; refused when another is in force by now."""
    force: bool = False


class Applied(Shown):
    version: str


@router.get("/plan")
def read_plan(ctx: Ctx, _principal: Annotated[Principal, needs(Permission.SEE_PLAN)]) -> PlanText:
    plan = ctx.books.plan()
    if plan is None:
        raise ApiError(404, "unknown_plan", "no plan was applied yet")
    return PlanText(version=plan.version, text=dump(plan))


@router.put("/plan")
async def apply_plan(
    ctx: Ctx, principal: Annotated[Principal, needs(Permission.CHANGE_PLAN)], body: PlanBody
) -> Applied:
    """A plan that contradicts itself is refused, and the running one stays."""
    args = body.model_dump() | {"by": principal.by}
    reply = await ctx.ask("plan.apply", args, APPLY_TIMEOUT_S)
    return Applied(version=str(reply.get("version", "")))
