"""Which device each agent has chosen, and to which groups he is lent."""

import sqlalchemy as sa
from alembic import op

revision = "perezvon_0009"
down_revision = "perezvon_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("agents", sa.Column("device", sa.Text(), nullable=True))
    op.create_table(
        "loans",
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("agent", "group", name=op.f("pk_loans")),
    )
