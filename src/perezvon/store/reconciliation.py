"""Two accounts of the same inbound attempts: the journal's, and that of the second witness.

    cel_arrivals + unseen = journal_calls + fallback_calls + unheard

over attempts that have ended for both. What only one of them has is the difference: 0 in balanced
operation. A switch without a second witness (the simulated one) is not reconciled, and says so.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, func, not_, or_, select

from perezvon.core.facts import Difference
from perezvon.store.paging import INTEGER_MAX
from perezvon.store.schema import calls


@dataclass(frozen=True, slots=True)
class Reconciliation:
    has_witness: bool
    """Whether a second witness ever told of an attempt here."""
    cel_arrivals: int
    """Attempts that the second witness (CEL) has."""
    journal_calls: int
    """Attempts that we handled."""
    fallback_calls: int
    """Attempts that the switch's own queue handled."""
    unheard: int
    """The witness saw them; neither we nor the fallback knew. Each is owed a call."""
    unseen: int
    """We had them; the witness never told of their end."""
    awaited: int
    """Not told yet: they go on, or ended a moment ago."""
    difference: int
    """`unheard` and `unseen` together."""


IS_UNHEARD = calls.c.difference == Difference.UNHEARD.value
IS_UNSEEN = calls.c.difference == Difference.UNSEEN.value
IS_TOLD = or_(calls.c.witnessed, calls.c.difference.is_not(None))


def reconcile(connection: Connection, window: ColumnElement[bool]) -> Reconciliation:
    """Of the calls in the window. What came before the witness's first word is not counted."""
    first = connection.scalar(select(func.min(calls.c.received_at)).where(IS_TOLD))
    confirmed = and_(calls.c.witnessed, calls.c.difference.is_(None))
    row = connection.execute(
        select(
            _number(confirmed),
            _number(and_(confirmed, calls.c.in_fallback)),
            _number(IS_UNHEARD),
            _number(IS_UNSEEN),
            _number(and_(not_(IS_TOLD), calls.c.received_at >= (first or INTEGER_MAX))),
        ).where(window)
    ).one()
    both, fallback, unheard, unseen, awaited = map(int, row)
    return Reconciliation(
        has_witness=first is not None,
        cel_arrivals=both + unheard,
        journal_calls=both - fallback + unseen,
        fallback_calls=fallback,
        unheard=unheard,
        unseen=unseen,
        awaited=awaited,
        difference=unheard + unseen,
    )


def _number(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((which, 1), else_=0)), 0)
