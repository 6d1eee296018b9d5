"""The code with which the first user is made: shown in the terminal, kept in a closed file.

Whoever opens the page first is not yet the owner; whoever reads the terminal of the machine is.
"""

import os
import secrets
from typing import Final

from perezvon.settings import Settings
from perezvon.store.database import Location, open_views
from perezvon.store.users import has_manager

LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that is easily taken for another."""
GROUPS: Final = 3
GROUP_LENGTH: Final = 4


def keep(settings: Settings) -> str:
    """The code; empty when somebody may sign in already, and then the file is gone."""
    views = open_views(Location(settings.data_dir, settings.database_url or ""))
    try:
        needed = not has_manager(views)
    finally:
        views.close()
    path = settings.setup_file
    if not needed:
        path.unlink(missing_ok=True)
        return ""
    if path.exists():
        return path.read_text().strip()
    code = "-".join(
        "".join(secrets.choice(LETTERS) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS)
    )
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{code}\n")
    return code
