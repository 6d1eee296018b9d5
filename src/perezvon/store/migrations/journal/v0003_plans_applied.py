"""Who put a plan in force, and why."""

import sqlalchemy as sa
from alembic import op

revision = "journal_0003"
down_revision = "journal_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("by", "comment"):
        op.add_column(
            "plans_applied", sa.Column(name, sa.Text(), nullable=False, server_default="")
        )
