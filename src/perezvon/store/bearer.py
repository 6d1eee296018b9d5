"""Secrets that open something to whoever bears them: 256 random bits, of which a digest is kept.

A plain digest is enough where a password would need a slow one: nobody guesses 256 bits.
"""

import hashlib
import secrets
from typing import Final

SECRET_LENGTH_MAX: Final = 200


def new_secret(prefix: str = "") -> str:
    return prefix + secrets.token_urlsafe(32)


def new_id() -> str:
    return secrets.token_hex(8)


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
