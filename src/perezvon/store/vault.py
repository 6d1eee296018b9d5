"""What is kept encrypted, with the key of the installation's secrets file: seeds of codes.

A copy of the database alone gives none of them away. (Passwords and tokens are not here: of those
only digests are kept.)
"""

from cryptography.fernet import Fernet, InvalidToken


class Vault:
    def __init__(self, key: str) -> None:
        self._fernet = Fernet(key)

    @staticmethod
    def new_key() -> str:
        return Fernet.generate_key().decode()

    def lock(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def unlock(self, locked: bytes) -> str | None:
        """None: it was locked with another key, or damaged."""
        try:
            return self._fernet.decrypt(locked).decode()
        except InvalidToken:
            return None
