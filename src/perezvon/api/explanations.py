"""Why: the story of a call or a debt, as data and as text in Russian or English."""

from typing import Annotated, Any

from fastapi import APIRouter

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, Context, Ctx, PathId, Shown
from perezvon.api.errors import not_found
from perezvon.api.roles import Permission
from perezvon.api.routing import CALL, CallInPath
from perezvon.core.facts import Fact
from perezvon.metrics.explanation import explain, sentence
from perezvon.metrics.explanation_words import Language
from perezvon.store.any_call import find_call
from perezvon.store.debts import get_debt
from perezvon.store.explanations import story_of_call, story_of_debt
from perezvon.store.names import Names

router = APIRouter(tags=["explanations"], responses=ERRORS)


class Line(Shown):
    at: int
    clock: str
    key: str
    params: dict[str, Any]
    text: str


class Explanation(Shown):
    language: Language
    zone: str
    lines: list[Line]


@router.get(f"/calls/{CALL}/explanation")
def explain_call(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.EXPLAIN)],
    call: CallInPath,
    *,
    lang: Language = "ru",
) -> Explanation:
    """Whom it was offered to and why, what each did, and what became of the debt."""
    stored, within = ctx.books.fresh(), ctx.within(principal, Permission.EXPLAIN)
    is_within = find_call(stored, call, within) is not None
    facts = story_of_call(stored, call) if is_within or within is None else []
    if not facts:
        raise not_found("call")
    return _explanation(ctx, facts, lang)


@router.get("/debts/{debt}/explanation")
def explain_debt(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.EXPLAIN)],
    debt: PathId,
    *,
    lang: Language = "ru",
) -> Explanation:
    stored, within = ctx.books.fresh(), ctx.within(principal, Permission.EXPLAIN)
    hidden = within is not None and get_debt(stored, debt, within) is None
    facts = [] if hidden else story_of_debt(stored, debt)
    if not facts:
        raise not_found("debt")
    return _explanation(ctx, facts, lang)


def _explanation(ctx: Context, facts: list[Fact], lang: Language) -> Explanation:
    names = Names(ctx.books.plan())
    clock = names.clock_since(facts[0].at)
    lines = [
        Line(
            at=line.at,
            clock=clock(line.at),
            key=line.key,
            params=line.params,
            text=sentence(line, lang, clock, names.of),
        )
        for line in explain(facts)
    ]
    return Explanation(language=lang, zone=names.zone, lines=lines)
