"""What a standby has to see of the leader: that it commits, by which session, under which lock."""

import sqlalchemy as sa
from alembic import op

revision = "journal_0002"
down_revision = "journal_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "leader", sa.Column("renewal", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column(
        "leader", sa.Column("locked", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column("leader", sa.Column("backend", sa.BigInteger(), nullable=True))
