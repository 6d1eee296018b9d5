"""Recordings, and whose leg was recorded under which name."""

import sqlalchemy as sa
from alembic import op

revision = "perezvon_0005"
down_revision = "perezvon_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recorded_legs",
        sa.Column("stem", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("over_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("stem", name=op.f("pk_recorded_legs")),
    )
    op.create_index(op.f("ix_recorded_legs_call"), "recorded_legs", ["call"])
    op.create_table(
        "recordings",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.String(length=200), nullable=False),
        sa.Column("agent_peaks", sa.LargeBinary(), nullable=False),
        sa.Column("client_peaks", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
    )
    op.create_index(op.f("ix_recordings_call"), "recordings", ["call"])
    # The recordings of earlier releases lie there still; their legs are in the other tables.
    op.execute(
        "INSERT INTO recorded_legs (stem, call, at, over_at) "
        "SELECT replace(replace(leg, '.', ''), '-', ''), max(id), max(received_at), max(ended_at) "
        "FROM calls GROUP BY 1"
    )
