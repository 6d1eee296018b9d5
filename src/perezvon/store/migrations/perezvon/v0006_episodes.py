"""What a debt's row tells of its client's calls and of our first answer to them."""

import sqlalchemy as sa
from alembic import op

revision = "perezvon_0006"
down_revision = "perezvon_0005"
branch_labels = None
depends_on = None

_OF_ITS_CALLS = "FROM calls WHERE calls.debt = debts.id"


def upgrade() -> None:
    for name in ("first_at", "last_at", "waited_ms", "first_dialled_at"):
        op.add_column("debts", sa.Column(name, sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE debts SET"  # noqa: S608 - of constants
        f" first_at = (SELECT min(received_at) {_OF_ITS_CALLS}),"
        f" last_at = (SELECT max(received_at) {_OF_ITS_CALLS}),"
        f" waited_ms = (SELECT max(wait_ms) {_OF_ITS_CALLS}),"
        " first_dialled_at ="
        " (SELECT min(dialled_at) FROM attempts WHERE attempts.debt = debts.id)"
    )
