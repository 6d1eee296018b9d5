"""Talks that the switch cut, debts that were reopened, and what the second witness says."""

import sqlalchemy as sa
from alembic import op

revision = "perezvon_0002"
down_revision = "perezvon_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("cut_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "calls", sa.Column("witnessed", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("calls", sa.Column("difference", sa.Text(), nullable=True))
    op.add_column("debts", sa.Column("reopened_at", sa.BigInteger(), nullable=True))
    op.add_column("attempts", sa.Column("cut_at", sa.BigInteger(), nullable=True))
