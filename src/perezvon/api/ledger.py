"""The ledger: how every inbound attempt ended, and whether the sums agree."""

from fastapi import APIRouter

from perezvon.api.context import ERRORS, Ctx, Moment, Reader, Shown
from perezvon.store import ledger

router = APIRouter(tags=["ledger"], responses=ERRORS)


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


@router.get("/ledger")
def read_ledger(ctx: Ctx, _token: Reader, *, since: Moment = None) -> Ledger:
    """Of attempts received from `since` on."""
    return Ledger.model_validate(ledger.count(ctx.books.fresh(), since))
