"""Lists as their users have narrowed and sorted them, kept under names of their own."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select

from perezvon.core.ids import Instant
from perezvon.store import bearer
from perezvon.store.database import Database, insert_into
from perezvon.store.paging import BadQuery
from perezvon.store.schema import saved_views

VIEWS_MAX: Final = 50
"""Of one user."""


@dataclass(frozen=True, slots=True)
class SavedView:
    id: str
    user: str
    page: str
    name: str
    query: str
    """Of the page's address."""
    created_at: int


def list_views(database: Database, user: str, page: str) -> list[SavedView]:
    """By name."""
    with database.read() as connection:
        rows = connection.execute(
            select(saved_views)
            .where(saved_views.c.user == user, saved_views.c.page == page)
            .order_by(saved_views.c.name)
            .limit(VIEWS_MAX)
        )
        return [SavedView(**row._asdict()) for row in rows]


def save_view(
    database: Database, user: str, page: str, name: str, query: str, now: Instant
) -> SavedView:
    """One of the same name is replaced."""
    with database.write() as connection:
        same = (
            saved_views.c.user == user,
            saved_views.c.page == page,
            saved_views.c.name == name,
        )
        connection.execute(delete(saved_views).where(*same))
        count = connection.scalar(
            select(func.count()).select_from(saved_views).where(saved_views.c.user == user)
        )
        if (count or 0) >= VIEWS_MAX:
            raise BadQuery(f"there are {VIEWS_MAX} views already; take some away")
        view = SavedView(bearer.new_id(), user, page, name, query, now)
        connection.execute(
            insert_into(connection, saved_views).values(
                id=view.id, user=user, page=page, name=name, query=query, created_at=now
            )
        )
    return view


def remove_view(database: Database, user: str, view: str) -> bool:
    """False: he has none such."""
    with database.write() as connection:
        removed = connection.execute(
            delete(saved_views).where(saved_views.c.id == view, saved_views.c.user == user)
        )
        return removed.rowcount > 0
