"""A secret that clients have to show."""

import hmac
import os

from nppnet_tf.errors import UserError
from nppnet_tf.files import text_files
from nppnet_tf.serving import failures
from nppnet_tf.serving.failures import RequestError

_SCHEME = "Bearer "
_LEAST = 8
_MAX_BYTES = 4096


class Token:
    """Checks what clients show; everything is right where there is no secret.

    Args:
        secret: The secret, or None.
    """

    def __init__(self, secret: str | None = None) -> None:
        self._expected = None
        if secret is not None:
            self._expected = f"{_SCHEME}{secret}".encode()

    @property
    def is_needed(self) -> bool:
        """Whether clients have to show anything."""
        return self._expected is not None

    @classmethod
    def read(cls, path: str | os.PathLike[str] | None) -> "Token":
        """Reads the secret from a file: its one line.

        Raises:
            UserError: The file cannot be read, or holds no secret.
        """
        if path is None:
            return cls()
        secret = text_files.read(path, _MAX_BYTES).strip()
        if len(secret) < _LEAST or not secret.isascii() or " " in secret:
            raise UserError(
                "no token",
                path,
                f"one line of at least {_LEAST} letters and digits",
                f"{len(secret)} characters",
            )
        return cls(secret)

    def require(self, authorization: str | None) -> None:
        """Refuses a request that does not show the secret.

        Args:
            authorization: What it says in `authorization`.

        Raises:
            RequestError: That is not the secret.
        """
        if self._expected is None:
            return
        shown = (authorization or "").encode("utf-8", "replace")
        if not hmac.compare_digest(shown, self._expected):
            raise RequestError(failures.UNAUTHENTICATED, "token is missing")
