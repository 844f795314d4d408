"""The environment that settings are read from.

A file named `.env` in the project folder is read too; real variables win over it.
"""

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parents[3]

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

IS_PRODUCTION: bool = env.str("LOYALTY_ENV", default="development") == "production"
DATA_DIR = Path(env.str("LOYALTY_DATA_DIR", default=str(BASE_DIR / ".data"))).absolute()
