"""The ledger: how every inbound attempt ended, whether the sums agree, and the two accounts."""

from typing import Annotated

from fastapi import APIRouter

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, Ctx, Moment, Shown
from perezvon.api.roles import Permission
from perezvon.store import ledger

router = APIRouter(tags=["ledger"], responses=ERRORS)


class Reconciliation(Shown):
    has_witness: bool
    cel_arrivals: int
    journal_calls: int
    fallback_calls: int
    unheard: int
    unseen: int
    awaited: int
    difference: int


class Ledger(Shown):
    arrivals: int
    in_progress: int
    answered: int
    recovered: int
    reached_us: int
    waived: int
    open: int
    debts_open: int
    balanced: bool
    reconciliation: Reconciliation


@router.get("/ledger")
def read_ledger(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.SEE_LEDGER)],
    *,
    since: Moment = None,
) -> Ledger:
    """Of attempts received from `since` on."""
    return Ledger.model_validate(
        ledger.count(ctx.books.fresh(), since, ctx.within(principal, Permission.SEE_LEDGER))
    )
