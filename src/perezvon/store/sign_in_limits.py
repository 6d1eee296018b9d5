"""How often one may try to sign in: by login and by address, longer waits after each failure.

A try is counted before its password is looked at, in one transaction: a thousand at once are a
thousand tries. It is in the store, so a restart forgets nothing. Logins are kept as digests:
people type their passwords there.
"""

import ipaddress
from typing import Final

from sqlalchemy import delete, func, select, update

from perezvon.core.ids import DAY, MINUTE, SECOND, Instant
from perezvon.store import bearer
from perezvon.store.database import LOCK_SIGN_IN, Database, insert_into, one_at_a_time
from perezvon.store.schema import sign_in_tries
from perezvon.store.users import login_of

FREE_OF_LOGIN: Final = 5
FREE_OF_ADDRESS: Final = 30
"""Many may share an address."""
WAIT_MS_MAX: Final = 15 * MINUTE
FORGOTTEN_MS: Final = DAY
ROWS_MAX: Final = 20_000
_DOUBLINGS_MAX: Final = 20


def admit(database: Database, login: str, address: str, now: Instant) -> int:
    """0: try, and it is counted. Else how many milliseconds to wait, and nothing is counted."""
    free = {_of_login(login): FREE_OF_LOGIN, _of_address(address): FREE_OF_ADDRESS}
    with database.write() as connection:
        one_at_a_time(connection, LOCK_SIGN_IN)
        connection.execute(
            delete(sign_in_tries).where(sign_in_tries.c.last_at <= now - FORGOTTEN_MS)
        )
        known = {
            row.key: row
            for row in connection.execute(
                select(sign_in_tries).where(sign_in_tries.c.key.in_(free))
            )
        }
        wait_ms = max((row.until_at - now for row in known.values()), default=0)
        if wait_ms > 0:
            return wait_ms
        for key, free_tries in sorted(free.items()):
            tries = known[key].tries + 1 if key in known else 1
            values = {"tries": tries, "last_at": now, "until_at": now + _wait_ms(tries, free_tries)}
            statement = insert_into(connection, sign_in_tries).values(key=key, **values)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["key"],
                    set_=values | {"tries": sign_in_tries.c.tries + 1},
                )
            )
        count = connection.scalar(select(func.count()).select_from(sign_in_tries)) or 0
        if count > ROWS_MAX:
            oldest = select(sign_in_tries.c.key).order_by(sign_in_tries.c.last_at)
            surplus = oldest.limit(count - ROWS_MAX)
            connection.execute(delete(sign_in_tries).where(sign_in_tries.c.key.in_(surplus)))
    return 0


def forgive(database: Database, login: str, address: str) -> None:
    """He was who he said. The address keeps its other failures: one good account must not pay for
    guessing at others.
    """
    with database.write() as connection:
        one_at_a_time(connection, LOCK_SIGN_IN)
        connection.execute(delete(sign_in_tries).where(sign_in_tries.c.key == _of_login(login)))
        connection.execute(
            update(sign_in_tries)
            .where(sign_in_tries.c.key == _of_address(address), sign_in_tries.c.tries > 0)
            .values(tries=sign_in_tries.c.tries - 1)
        )


def _wait_ms(tries: int, free_tries: int) -> int:
    beyond = tries - free_tries
    return 0 if beyond < 0 else min(SECOND << min(beyond, _DOUBLINGS_MAX), WAIT_MS_MAX)


def _of_login(login: str) -> str:
    return "login " + bearer.digest(login_of(login)).hex()[:40]


def _of_address(address: str) -> str:
    """Who has one address of IPv6 has all of its network."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return f"address {address[:60]}"
    if known.version == 6:  # noqa: PLR2004 - IPv6
        return f"address {ipaddress.ip_network((known, 64), strict=False)}"
    return f"address {known}"
