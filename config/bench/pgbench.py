"""Run pgbench, PostgreSQL's own load generator, on the database in use."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from django.db import connection

from config.base.embedded import postgres


def rate(script: str, *, clients: int, seconds: int) -> float:
    """Return how many times per second the script runs to its end.

    Raises: RuntimeError when a client is refused something.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [
            *(str(_program()), "--no-vacuum", "--protocol", "prepared", "--file", file.name),
            *("--client", str(clients), "--jobs", "1", "--time", str(seconds)),
            *("--define", f"number={_unused()}"),
        ]
        done = subprocess.run(
            command, env=_environment(), capture_output=True, text=True, check=False
        )
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        raise RuntimeError(done.stderr)
    return float(found[1])


_runs = iter(range(1_000_000))


def _unused() -> int:
    """Return a first number that no earlier run has come to."""
    return next(_runs) * 1_000_000


def _program() -> Path:
    beside = postgres.find_programs() / "pgbench"
    found = shutil.which("pgbench")
    if not beside.exists() and found is None:
        raise RuntimeError("there is no pgbench beside the server's programs or on the PATH")
    return beside if beside.exists() else Path(str(found))


def _environment() -> dict[str, str]:
    parameters = connection.get_connection_params()
    return {
        "PATH": os.environ.get("PATH", ""),
        "PGHOST": str(parameters.get("host") or ""),
        "PGPORT": str(parameters.get("port") or ""),
        "PGUSER": str(parameters.get("user") or ""),
        "PGPASSWORD": str(parameters.get("password") or ""),
        "PGDATABASE": str(parameters["dbname"]),
    }
