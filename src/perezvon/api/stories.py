"""The story of one call, for its page: who and when, what it came to, and its stages as bars.

Of any call: an inbound one with all call-backs that its debt led to, a single call-back, a call
that an agent dialled by hand.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, Context, Ctx, Shown, client_of
from perezvon.api.errors import not_found
from perezvon.api.roles import Permission
from perezvon.api.routing import CALL, CallInPath
from perezvon.core.ids import Instant
from perezvon.metrics.timeline import Part, PartKind, Span, Stage, timeline
from perezvon.store.agents import next_status_at
from perezvon.store.any_call import find_call
from perezvon.store.calls import CallState, get_call
from perezvon.store.database import Database
from perezvon.store.debts import get_debt
from perezvon.store.explanations import story_of_call
from perezvon.store.names import Names

router = APIRouter(tags=["calls"], responses=ERRORS)


class StoryStage(Shown):
    stage: Stage
    agent: str | None
    """Whose line; null: the client's, and of a talk: somebody's outside."""
    agent_name: str
    from_at: int
    to_at: int | None
    """Null: it goes on."""
    outcome: str | None
    step: int | None
    ring_ms: int | None
    queue_name: str


class StoryPart(Shown):
    call: str
    kind: PartKind
    dial: int | None
    """Which dialling of the debt."""
    from_at: int
    to_at: int | None
    outcome: str | None
    """How it ended: a reason of a miss, of an attempt, or who hung up."""
    stages: list[StoryStage]


class StoryDebt(Shown):
    id: str
    state: str
    owner: str | None
    owner_name: str
    due_at: int | None
    settled_at: int | None
    first_call: str


class Story(Shown):
    call: str
    kind: PartKind
    at: int
    zone: str
    """Of the tenant; moments are shown in it."""
    person: str | None
    number: str | None
    name: str | None
    did: str | None
    queue: str
    queue_name: str
    agent: str | None
    agent_name: str
    ended_at: int | None
    wait_ms: int | None
    talk_ms: int | None
    outcome: str | None
    """How it ended, as `parts` say it of the call itself."""
    ended_by: str | None
    state: CallState | None
    """Of an inbound call, in the ledger."""
    miss_reason: str | None
    miss_cause: str | None
    waiver: str | None
    in_fallback: bool
    cut_at: int | None
    difference: str | None
    debt: StoryDebt | None
    parts: list[StoryPart]
    """The call first, then its call-backs."""


@router.get(f"/calls/{CALL}/story")
def read_story(
    ctx: Ctx, principal: Annotated[Principal, needs(Permission.SEE_CALLS)], call: CallInPath
) -> Story:
    stored = ctx.books.fresh()
    found = find_call(stored, call, ctx.within(principal, Permission.SEE_CALLS))
    facts = story_of_call(stored, call) if found is not None else []
    if found is None or not facts:
        raise not_found("call")
    names = Names(ctx.books.plan())
    parts = [_part(stored, names, part) for part in timeline(facts)]
    own = next((part for part in parts if part.call == call), None)
    row = get_call(stored, call)
    told: dict[str, Any] = {name: getattr(row, name, None) for name in OF_ROW}
    told |= client_of(found.person, ctx.books.persons([found.person]), principal)
    return Story(
        **told,
        call=call,
        kind=own.kind if own is not None else PartKind.CALL,
        at=found.at,
        zone=names.zone,
        person=found.person,
        did=found.did,
        queue=found.queue,
        queue_name=names.of("queue", found.queue),
        agent=found.agent,
        agent_name=_name(names, found.agent),
        ended_at=own.to_at if own is not None else found.ended_at,
        talk_ms=found.talk_ms,
        outcome=own.outcome if own is not None else None,
        in_fallback=row is not None and row.in_fallback,
        debt=_debt(ctx, principal, names, found.debt),
        parts=parts,
    )


OF_ROW: Final = (
    "ended_by", "state", "miss_reason", "miss_cause", "waiver", "cut_at", "difference", "wait_ms",
)  # fmt: skip
"""What only an inbound call has."""


def _part(stored: Database, names: Names, part: Part) -> StoryPart:
    stages = [
        StoryStage(
            stage=span.stage,
            agent=span.agent,
            agent_name=_name(names, span.agent),
            from_at=span.from_at,
            to_at=_end_of(stored, span),
            outcome=span.outcome,
            step=span.step,
            ring_ms=span.ring_ms,
            queue_name=_name(names, span.queue, "queue"),
        )
        for span in part.spans
    ]
    return StoryPart(
        call=part.call,
        kind=part.kind,
        dial=part.dial,
        from_at=part.from_at,
        to_at=part.to_at,
        outcome=part.outcome,
        stages=stages,
    )


def _end_of(stored: Database, span: Span) -> Instant | None:
    """A wrap-up ends with the agent's next status, which is no fact of the call."""
    if span.stage is Stage.WRAP_UP and span.to_at is None and span.agent is not None:
        return next_status_at(stored, span.agent, span.from_at)
    return span.to_at


def _name(names: Names, id_: str | None, kind: str = "agent") -> str:
    return "" if id_ is None else names.of(kind, id_)


def _debt(ctx: Context, principal: Principal, names: Names, debt: str | None) -> StoryDebt | None:
    """None too for who may not see debts."""
    if debt is None or not principal.may(Permission.SEE_DEBTS):
        return None
    row = get_debt(ctx.books.stored, debt, ctx.within(principal, Permission.SEE_DEBTS))
    if row is None:
        return None
    return StoryDebt(
        id=row.id,
        state=row.state,
        owner=row.owner,
        owner_name=_name(names, row.owner),
        due_at=row.due_at,
        settled_at=row.settled_at,
        first_call=row.first_call,
    )
