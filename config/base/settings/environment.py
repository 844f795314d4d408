"""The environment that settings are read from.

A file named `.env` in the project folder is read too; real variables win over it.
"""

from collections.abc import Mapping
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parents[3]

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

IS_PRODUCTION: bool = env.str("LOYALTY_ENV", default="development") == "production"
DATA_DIR = Path(env.str("LOYALTY_DATA_DIR", default=str(BASE_DIR / ".data"))).absolute()


def settings_under(prefix: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a library that the environment names with a prefix, without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in environment.items()
        if name.startswith(prefix)
    }
