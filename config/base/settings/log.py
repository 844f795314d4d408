"""Logging, to standard output and without personal data.

Our own code logs ids, codes and counts. What libraries would add about a request or a statement
(query strings, SQL with its values) is left out.
"""

from typing import Any

from config.base.settings.environment import env

LEVEL: str = env.str("LOG_LEVEL", default="INFO")

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
    },
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "line",
        },
    },
    "root": {"handlers": ["stdout"], "level": LEVEL},
    "loggers": {
        "django": {"level": LEVEL},
        "django.server": {"handlers": ["stdout"], "propagate": False, "level": "WARNING"},
        # Statements carry people's data.
        "django.db.backends": {"level": "INFO"},
        "psycopg": {"level": "ERROR"},
        # Who logs in stands in the record of staff acts.
        "axes": {"level": "WARNING"},
    },
}
