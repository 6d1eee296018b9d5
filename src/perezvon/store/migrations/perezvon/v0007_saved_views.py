"""Lists as their users have narrowed and sorted them, under names of their own."""

import sqlalchemy as sa
from alembic import op

revision = "perezvon_0007"
down_revision = "perezvon_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_views",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("user", sa.String(16), nullable=False),
        sa.Column("page", sa.String(40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("user", "page", "name", name=op.f("uq_saved_views_user_page_name")),
    )
