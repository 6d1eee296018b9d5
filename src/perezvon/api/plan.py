"""The plan: what is in force and what was, checking another, and putting it in force."""

import asyncio
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Request
from pydantic import StringConstraints, model_validator

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, LIMIT, Context, Ctx, Cursor, Limit, PathId, Shown, Text
from perezvon.api.errors import ApiError, ErrorBody, Problem
from perezvon.api.roles import Permission
from perezvon.api.trail import trail_of
from perezvon.core.plan import Plan
from perezvon.runtime.actions import PLAN_BYTES_MAX
from perezvon.runtime.local import ACTION_TIMEOUT_S, Refused
from perezvon.store import plan_diff, plan_file
from perezvon.store.plan_export import dump, tree

APPLY_TIMEOUT_S: Final = ACTION_TIMEOUT_S + 5
"""A long plan takes its time to read; the engine itself says when it was too long."""

router = APIRouter(tags=["plan"], responses=ERRORS)


class PlanChange(Shown):
    """Noun, id and key are those of the plan file."""

    kind: plan_diff.ChangeKind
    noun: str
    id: str
    path: list[str | int]
    before: Any
    after: Any


class Flaw(Shown):
    line: int
    path: str
    place: list[str | int]
    """The same path in parts."""
    code: str
    reason: str


class PlanText(Shown):
    version: str
    text: str
    """The plan file, YAML. Secrets are names in it."""


class PlanTree(Shown):
    version: str
    text: str
    tree: dict[str, Any]
    """The plan file's content, each noun as a mapping; what has its default is left out."""


class PlanSchema(Shown):
    fields: dict[str, Any]
    """JSON Schema of the plan file, with defaults and limits."""


class PlanVersion(Shown):
    version: str
    at: int
    by: str
    """Empty: the file that the first start found."""
    comment: str


class PlanVersions(Shown):
    items: list[PlanVersion]
    next: str | None


class Draft(Shown):
    """A plan as text or as tree."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=PLAN_BYTES_MAX)] | None = None
    tree: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _not_both(self) -> "Draft":
        if self.text is not None and self.tree is not None:
            raise ValueError("give text or tree")
        return self


class WholeDraft(Draft):
    @model_validator(mode="after")
    def _one(self) -> "WholeDraft":
        if self.text is None and self.tree is None:
            raise ValueError("give text or tree")
        return self


class CheckBody(WholeDraft):
    language: Literal["ru", "en"] = "en"
    """Of the reasons."""


class PlanBody(WholeDraft):
    base: Text = ""
    """The version that it was made from; refused when another is in force by now."""
    force: bool = False
    comment: Text = ""
    """Why, for whoever reads the versions."""


class Checked(Shown):
    base: str
    """The version in force, with which it was compared."""
    version: str | None
    """That it would have; None: it is refused."""
    flaws: list[Flaw]
    flaw_count: int
    changes: list[PlanChange]
    text: str
    """It as a file, and as a tree; empty when it is refused."""
    tree: dict[str, Any]


class Applied(Shown):
    version: str


class Refusal(Problem):
    flaws: list[Flaw]


class Stale(Problem):
    version: str
    changes: list[PlanChange]
    """What others changed since `base`."""


class RefusalBody(Shown):
    error: Refusal


class StaleBody(Shown):
    error: Stale


@router.get("/plan")
def read_plan(ctx: Ctx, _principal: Annotated[Principal, needs(Permission.SEE_PLAN)]) -> PlanText:
    plan = in_force(ctx)
    return PlanText(version=plan.version, text=dump(plan))


@router.get("/plan/tree")
def read_plan_tree(
    ctx: Ctx, _principal: Annotated[Principal, needs(Permission.SEE_PLAN)]
) -> PlanTree:
    plan = in_force(ctx)
    return PlanTree(version=plan.version, text=dump(plan), tree=tree(plan))


@router.get("/plan/schema")
def read_plan_schema(_principal: Annotated[Principal, needs(Permission.SEE_PLAN)]) -> PlanSchema:
    return PlanSchema(fields=plan_file.json_schema())


@router.get("/plan/versions")
def read_plan_versions(
    ctx: Ctx,
    _principal: Annotated[Principal, needs(Permission.SEE_PLAN)],
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> PlanVersions:
    """Which was put in force when, by whom and why, newest first."""
    page = ctx.books.plans(limit, cursor)
    items = [PlanVersion.model_validate(row) for row in page.items]
    return PlanVersions(items=items, next=page.next)


@router.get("/plan/versions/{version}")
def read_plan_version(
    ctx: Ctx, _principal: Annotated[Principal, needs(Permission.SEE_PLAN)], version: PathId
) -> PlanTree:
    plan = _version(ctx, version)
    return PlanTree(version=plan.version, text=dump(plan), tree=tree(plan))


@router.get("/plan/versions/{version}/changes")
def read_plan_changes(
    ctx: Ctx,
    _principal: Annotated[Principal, needs(Permission.SEE_PLAN)],
    version: PathId,
    *,
    since: Annotated[str, StringConstraints(max_length=100)],
) -> list[PlanChange]:
    """What is different in it from the version `since`."""
    return _changes(_version(ctx, since), _version(ctx, version))


@router.post("/plan/check")
def check_plan(
    ctx: Ctx,
    _principal: Annotated[Principal, needs(Permission.SEE_PLAN)],
    request: Request,
    body: CheckBody,
) -> Checked:
    """What is wrong with a plan, or what it would change; nothing is put in force."""
    trail_of(request).quiet = True
    base = in_force(ctx)
    try:
        plan, text = parsed(body, base)
    except plan_file.PlanFileError as error:
        return Checked(
            base=base.version,
            version=None,
            flaws=_flaws(error, body.language),
            flaw_count=error.count,
            changes=[],
            text="",
            tree={},
        )
    return Checked(
        base=base.version,
        version=plan.version,
        flaws=[],
        flaw_count=0,
        changes=_changes(base, plan),
        text=text,
        tree=tree(plan),
    )


@router.put("/plan", responses={409: {"model": StaleBody}, 422: {"model": RefusalBody | ErrorBody}})
async def apply_plan(
    ctx: Ctx, principal: Annotated[Principal, needs(Permission.CHANGE_PLAN)], body: PlanBody
) -> Applied:
    """A plan that contradicts itself is refused, and the running one stays."""
    _, text = await asyncio.to_thread(parsed_or_refused, ctx, body)
    args = {
        "text": text,
        "base": body.base,
        "force": body.force,
        "comment": body.comment,
        "by": principal.by,
    }
    try:
        reply = await ctx.ask("plan.apply", args, APPLY_TIMEOUT_S)
    except Refused as refused:
        if refused.code == "stale_base":
            raise await asyncio.to_thread(_stale, ctx, body.base) from refused
        raise
    return Applied(version=str(reply.get("version", "")))


def in_force(ctx: Context) -> Plan:
    plan = ctx.books.plan()
    if plan is None:
        raise ApiError(404, "unknown_plan", "no plan was applied yet")
    return plan


def parsed(draft: Draft, like: Plan | None) -> tuple[Plan, str]:
    """The plan and its text; `PlanFileError`."""
    if draft.tree is not None:
        return plan_file.parse_tree(draft.tree, like)
    assert draft.text is not None
    return plan_file.parse(draft.text), draft.text


def parsed_or_refused(ctx: Context, draft: Draft) -> tuple[Plan, str]:
    try:
        return parsed(draft, ctx.books.plan())
    except plan_file.PlanFileError as error:
        flaws = [flaw.model_dump() for flaw in _flaws(error, "en")]
        raise ApiError(422, "plan_refused", str(error), "text", details={"flaws": flaws}) from error


def _version(ctx: Context, version: str) -> Plan:
    plan = ctx.books.plan_of(version)
    if plan is None:
        raise ApiError(404, "unknown_plan", "no such version was ever in force", "version")
    return plan


def _stale(ctx: Context, base: str) -> ApiError:
    plan, since = in_force(ctx), ctx.books.plan_of(base)
    changes = [] if since is None else [each.model_dump() for each in _changes(since, plan)]
    return ApiError(
        409,
        "stale_base",
        f"the running plan is {plan.version}",
        "base",
        details={"version": plan.version, "changes": changes},
    )


def _changes(before: Plan, after: Plan) -> list[PlanChange]:
    return [PlanChange.model_validate(each) for each in plan_diff.changes(before, after)]


def _flaws(error: plan_file.PlanFileError, language: str) -> list[Flaw]:
    return [
        Flaw(
            line=each.line,
            path=each.path,
            place=list(each.place),
            code=each.why.code,
            reason=each.why.text(language),
        )
        for each in error.problems
    ]
