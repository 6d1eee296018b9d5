"""What a plan would do, asked before it is put in force: the deciding core's own answers."""

import calendar
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, MOMENT_MAX, Context, Ctx, Id, Shown
from perezvon.api.errors import ApiError
from perezvon.api.plan import Draft, in_force, parsed_or_refused
from perezvon.api.roles import Permission
from perezvon.api.trail import trail_of
from perezvon.core.calendar import Calendar
from perezvon.core.events import NumberClass
from perezvon.core.facts import WaiverKind
from perezvon.core.ids import DAY, SECOND
from perezvon.core.ladder import foresee
from perezvon.core.plan import Plan
from perezvon.store.plan_values import interval_text

router = APIRouter(tags=["plan"], responses=ERRORS)


class CallbackPreviewBody(Draft):
    """Without a text and a tree: of the plan in force."""

    missed_at: Annotated[int, Field(ge=0, le=MOMENT_MAX)]
    queue: Id
    number_class: NumberClass = NumberClass.MOBILE
    waited_ms: Annotated[int, Field(ge=0, le=DAY)] = 30 * SECOND


class CallbackPreview(Shown):
    zone: str
    rule: str
    """Its id; `_unmatched` when no rule of the plan matches."""
    waiver: WaiverKind | None
    """Why nothing is owed; None: it is."""
    tries_at: list[int]
    """When he is called back as long as nobody is reached and somebody is free to call."""
    due_at: int
    """Then it is overdue."""
    give_up_at: int | None


class HoursPreviewBody(Draft):
    """The same."""

    hours: Id
    month: Annotated[str, Field(pattern=r"^(19[7-9]|20[0-9])[0-9]-(0[1-9]|1[0-2])$")]


class DayPreview(Shown):
    date: str
    open: list[str]
    is_holiday: bool
    """Not as its weekday says."""


class HoursPreview(Shown):
    days: list[DayPreview]


@router.post("/plan/preview/callback")
def preview_callback(
    ctx: Ctx,
    _principal: Annotated[Principal, needs(Permission.SEE_PLAN)],
    request: Request,
    body: CallbackPreviewBody,
) -> CallbackPreview:
    """When a client would be called back whose call was missed at a moment."""
    trail_of(request).quiet = True
    plan = _plan(ctx, body)
    queue = next((queue for queue in plan.queues if queue.id == body.queue), None)
    if queue is None:
        raise ApiError(422, "unknown_queue", "the plan has no such queue", "queue")
    found = foresee(plan, queue, body.number_class, body.waited_ms, body.missed_at)
    return CallbackPreview(
        zone=plan.zone,
        rule=found.rule.id,
        waiver=found.waiver,
        tries_at=list(found.tries_at),
        due_at=found.due_at,
        give_up_at=found.give_up_at,
    )


@router.post("/plan/preview/hours")
def preview_hours(
    ctx: Ctx,
    _principal: Annotated[Principal, needs(Permission.SEE_PLAN)],
    request: Request,
    body: HoursPreviewBody,
) -> HoursPreview:
    """When these hours are open, day by day of a month."""
    trail_of(request).quiet = True
    plan = _plan(ctx, body)
    hours = next((hours for hours in plan.hours if hours.id == body.hours), None)
    if hours is None:
        raise ApiError(422, "unknown_hours", "the plan has no such hours", "hours")
    opened = Calendar(hours, plan.holidays, plan.zone)
    year, month = (int(part) for part in body.month.split("-"))
    days = []
    for number in range(1, calendar.monthrange(year, month)[1] + 1):
        day = date(year, month, number)
        intervals, is_holiday = opened.day(day)
        texts = [interval_text(interval) for interval in intervals]
        days.append(DayPreview(date=day.isoformat(), open=texts, is_holiday=is_holiday))
    return HoursPreview(days=days)


def _plan(ctx: Context, body: Draft) -> Plan:
    if body.text is None and body.tree is None:
        return in_force(ctx)
    return parsed_or_refused(ctx, body)[0]
