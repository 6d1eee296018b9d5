"""Alerts: what is wrong now, in words: what has happened, what callers notice, what to do."""

from typing import Annotated

from fastapi import APIRouter

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, Ctx, Shown
from perezvon.api.roles import Permission
from perezvon.metrics.explanation_words import Language
from perezvon.runtime.alert_words import meaning

router = APIRouter(tags=["alerts"], responses=ERRORS)


class OpenAlert(Shown):
    kind: str
    about: str
    """A trunk, an agent, a program; empty: the whole system."""
    since_at: int
    detail: str
    """Of the moment, for the log's reader; not translated."""
    text: str
    """What has happened and what callers notice."""
    advice: str


class OpenAlerts(Shown):
    items: list[OpenAlert]


@router.get("/alerts")
async def read_alerts(
    ctx: Ctx,
    _principal: Annotated[Principal, needs(Permission.SEE_ALERTS)],
    *,
    lang: Language = "ru",
) -> OpenAlerts:
    """The open ones, oldest first; 503 when the engine is away, which is worth an alert itself."""
    rows = (await ctx.ask("alerts"))["items"]
    return OpenAlerts(items=[_shown(row, lang) for row in rows])


def _shown(row: dict[str, str | int], lang: Language) -> OpenAlert:
    told = meaning(str(row["kind"]), lang)
    return OpenAlert.model_validate(row | {"text": told.text, "advice": told.advice})
