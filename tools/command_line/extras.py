"""Packages that only some commands need, by the extras that install them."""

from importlib import util

from nppnet_tf.errors import UserError

SERVE = "serve"

_PACKAGES = {
    SERVE: (
        "starlette",
        "uvicorn",
        "httpx",
        "grpc",
        "grpc_health",
        "prometheus_client",
        "tensorflow_serving",
    ),
}


def require(extra: str) -> None:
    """Refuses to begin without the packages of an extra.

    Args:
        extra: Name of the extra in setup.py.

    Raises:
        UserError: A package is missing; says how to install it.
    """
    for name in _PACKAGES[extra]:
        if util.find_spec(name) is None:
            raise UserError(
                "package is missing",
                name,
                f"pip install 'nppnet_tf[{extra}]'",
                "nothing",
            )
