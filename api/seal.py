"""Secrets that must be read back are kept sealed: a stolen database alone does not open them."""

import contextlib
import hmac
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from api.bus_server import write_private
from missions.errors import WorkFailed

KEY_FILE = "seal-key"


class Seal:
    """Seals texts with one key of this installation, kept beside its other keys (0600)."""

    def __init__(self, key: bytes) -> None:
        self._fernet, self._key = Fernet(key), key

    @classmethod
    def fresh(cls) -> "Seal":
        """Return a seal that nobody else has and that ends with the process."""
        return cls(Fernet.generate_key())

    @classmethod
    def of(cls, data: Path) -> "Seal":
        """Return the seal of a data folder, made on first use."""
        file = data / "keys" / KEY_FILE
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileExistsError):
            write_private(file, Fernet.generate_key().decode(), exclusive=True)
        return cls(file.read_bytes())

    def shut(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def pseudonym(self, name: str) -> str:
        """Return what stands for a name, the same each time; without the key nobody finds out whose it is."""
        return hmac.digest(self._key, name.encode(), "sha256").hex()[:20]

    def open(self, sealed: str) -> str:
        """Return the text again.

        Raises:
            WorkFailed: it was sealed with another key.
        """
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise WorkFailed(
                f"a kept secret does not open: keys/{KEY_FILE} is not the key it was sealed with; "
                "restore that file"
            ) from None
