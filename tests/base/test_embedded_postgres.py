"""The embedded PostgreSQL, driven for real: started twice, killed, moved, run as nobody."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured

from config.base.embedded import postgres, process, roles

ROOT = Path(__file__).resolve().parents[2]
FAST = {"fsync": "off", "shared_buffers": "16MB", "max_connections": "20"}

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

USE_IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from config.base.embedded import postgres
server = postgres.EmbeddedPostgres(Path(sys.argv[1]), options={"fsync": "off"})
server.ensure()
print(server.postmaster_pid(), flush=True)
sys.stdin.read()
"""


def in_another_process(
    data_dir: Path, python: str = sys.executable, **options: Any
) -> "subprocess.Popen[str]":
    """Use the server in a process of its own until its standard input is closed."""
    return subprocess.Popen(
        [python, "-c", USE_IN_ANOTHER_PROCESS, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        **options,
    )


def first_line(child: "subprocess.Popen[str]") -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def is_gone(pid: int, within_seconds: float = 10) -> bool:
    deadline = time.monotonic() + within_seconds
    while process.is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def server(tmp_path: Path) -> Iterator[postgres.EmbeddedPostgres]:
    server = postgres.EmbeddedPostgres(tmp_path, options=FAST)
    server.ensure()
    yield server
    server.release()


def connect(server: postgres.EmbeddedPostgres, role: str) -> psycopg.Connection:
    return server.connect(role, roles.DATABASE)


def test_start_makes_two_roles_that_are_no_superusers(server: postgres.EmbeddedPostgres) -> None:
    with connect(server, roles.APPLICATION) as connection:
        found = connection.execute(
            "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles"
            " WHERE rolname LIKE 'loyalty%' ORDER BY 1"
        ).fetchall()
    assert found == [
        ("loyalty_app", False, False, False),
        ("loyalty_owner", False, True, False),
    ]


def test_owner_makes_tables_and_the_application_may_not(server: postgres.EmbeddedPostgres) -> None:
    with connect(server, roles.OWNER) as connection:
        connection.execute("CREATE EXTENSION btree_gist")
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute("CREATE TABLE kept (id int)")
    with (
        connect(server, roles.APPLICATION) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("CREATE TABLE refused (id int)")


def test_server_listens_on_its_socket_alone_and_wants_a_password(
    server: postgres.EmbeddedPostgres,
) -> None:
    with server.connect(roles.SUPERUSER) as connection:
        shown = connection.execute("SHOW listen_addresses").fetchone()
    assert shown == ("",)
    assert server.socket_dir.stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(
            host=str(server.socket_dir), user=roles.OWNER, password="guessed", dbname="postgres"
        )


def test_log_holds_no_statement_and_no_value_of_a_row(server: postgres.EmbeddedPostgres) -> None:
    with connect(server, roles.OWNER) as connection:
        connection.execute("CREATE TABLE people (phone text UNIQUE)")
        connection.execute("INSERT INTO people VALUES ('canary-13800138000')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO people VALUES ('canary-13800138000')")
    assert "duplicate key" in server.log.read_text()
    assert "canary" not in server.log.read_text()


def test_starting_again_keeps_data_and_passwords(tmp_path: Path) -> None:
    first = postgres.EmbeddedPostgres(tmp_path, options=FAST)
    first.ensure()
    with connect(first, roles.OWNER) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    first.release()
    assert not first.answers()

    second = postgres.EmbeddedPostgres(tmp_path, options=FAST)
    second.ensure()
    with connect(second, roles.OWNER) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
    second.release()


def test_killed_server_comes_back_with_every_committed_row(
    server: postgres.EmbeddedPostgres,
) -> None:
    with connect(server, roles.OWNER) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 10000) AS number")
    pid = server.postmaster_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    server.ensure()

    assert server.postmaster_pid() != pid
    with connect(server, roles.OWNER) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (10000,)


def test_processes_that_come_at_once_share_one_server(tmp_path: Path) -> None:
    children = [in_another_process(tmp_path) for _ in range(4)]
    pids = {first_line(child) for child in children}
    assert len(pids) == 1
    pid = int(pids.pop())

    for child in children[:-1]:
        child.communicate()
    assert process.is_alive(pid), "somebody still uses it"

    children[-1].communicate()
    assert is_gone(pid), "the last one stops it"


def test_user_that_was_killed_does_not_keep_the_server(tmp_path: Path) -> None:
    killed = in_another_process(tmp_path)
    pid = int(first_line(killed))
    killed.kill()
    killed.communicate()
    assert process.is_alive(pid)

    other = in_another_process(tmp_path)
    assert int(first_line(other)) == pid
    other.communicate()
    assert is_gone(pid)


def test_data_folders_run_side_by_side(tmp_path: Path) -> None:
    servers = [postgres.EmbeddedPostgres(tmp_path / name, options=FAST) for name in ("one", "two")]
    for server in servers:
        server.ensure()
    assert servers[0].postmaster_pid() != servers[1].postmaster_pid()
    servers[0].release()
    assert servers[1].answers()
    servers[1].release()


def test_half_made_cluster_is_made_anew(tmp_path: Path) -> None:
    draft = tmp_path / "postgres" / "cluster.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18")
    server = postgres.EmbeddedPostgres(tmp_path, options=FAST)
    server.ensure()
    assert server.answers()
    assert not draft.exists()
    server.release()


def test_lock_file_with_the_pid_of_another_program_does_not_stop_the_start(
    tmp_path: Path,
) -> None:
    server = postgres.EmbeddedPostgres(tmp_path, options=FAST)
    server.ensure()
    server.release()
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        (server.cluster / "postmaster.pid").write_text(f"{bystander.pid}\n{server.cluster}\n0\n")
        server.ensure()
        assert server.answers()
        server.release()
        assert bystander.poll() is None, "never signal what is not ours"
    finally:
        bystander.kill()
        bystander.wait()


def test_deep_folder_gets_a_short_socket(tmp_path: Path) -> None:
    server = postgres.EmbeddedPostgres(tmp_path / ("deep" * 20), options=FAST)
    assert not server.socket_dir.is_relative_to(tmp_path)
    server.ensure()
    assert server.answers()
    server.release()
    shutil.rmtree(server.socket_dir)


def test_cluster_of_another_version_is_refused(tmp_path: Path) -> None:
    server = postgres.EmbeddedPostgres(tmp_path, options=FAST)
    server.ensure()
    server.release()
    (server.cluster / "PG_VERSION").write_text("9\n")
    with pytest.raises(postgres.ServerError, match="was made by PostgreSQL 9"):
        server.ensure()
    server.release()


def test_start_without_programs_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOYALTY_POSTGRES_BIN", str(tmp_path))
    server = postgres.EmbeddedPostgres(tmp_path, options=FAST)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL") as refused:
        server.ensure()
    assert "没有可用的 PostgreSQL" in str(refused.value)
    server.release()


def test_server_that_does_not_start_shows_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "LINGER_SECONDS", 0.1)
    server = postgres.EmbeddedPostgres(tmp_path, options={"no_such_setting": "1"})
    with pytest.raises(postgres.ServerError, match="no_such_setting"):
        server.ensure()
    server.release()


def python_of_a_normal_user() -> str:
    """Return an interpreter of this version that an unprivileged user can reach."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        version = "import sys; print(sys.version_info[:2])"
        try:
            said = subprocess.run(
                [candidate, "-c", version],
                user=65534,
                group=65534,
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError:
            continue
        if said.stdout.strip() == str(sys.version_info[:2]):
            return candidate
    pytest.skip("no interpreter within an unprivileged user's reach")


@needs_root
def test_normal_user_runs_the_server_as_itself(tmp_path: Path) -> None:
    # The temporary folder of root's tests is closed to others: use one that is not.
    python = python_of_a_normal_user()
    data_dir = Path("/var/tmp") / f"loyalty-test-{os.getpid()}"
    data_dir.mkdir(mode=0o700)
    os.chown(data_dir, 65534, 65534)
    try:
        child = in_another_process(
            data_dir,
            python,
            user=65534,
            group=65534,
            env={"PYTHONPATH": str(Path(psycopg.__file__).parents[1]), "PATH": os.environ["PATH"]},
        )
        pid = int(first_line(child))
        assert Path(f"/proc/{pid}").stat().st_uid == 65534
        child.communicate()
        assert is_gone(pid)
    finally:
        shutil.rmtree(data_dir)


@needs_root
def test_root_without_namespaces_runs_it_as_nobody_within_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = postgres.find_programs()
    hidden = tmp_path / "hidden"
    shutil.copytree(programs.parent.parent, hidden / programs.parent.parent.name, symlinks=True)
    libraries = programs.parent.parent.with_name(f"{programs.parent.parent.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, hidden / libraries.name, symlinks=True)
    hidden.chmod(0o700)
    monkeypatch.setenv(
        "LOYALTY_POSTGRES_BIN",
        str(hidden / programs.relative_to(programs.parent.parent.parent)),
    )
    monkeypatch.setattr(process, "namespaces_work", lambda: False)
    server = postgres.EmbeddedPostgres(tmp_path, options=FAST)
    server.ensure()
    try:
        pid = server.postmaster_pid()
        assert Path(f"/proc/{pid}").stat().st_uid == process.UNPRIVILEGED_ID
        assert not server.home.is_relative_to(tmp_path)
        assert (tmp_path / "postgres" / "location").read_text().strip() == str(server.home)
        assert tmp_path.stat().st_mode & 0o077 == 0, "never open a folder that is not ours"
        os.kill(pid or 0, signal.SIGKILL)
        server.ensure()
        assert server.answers()
    finally:
        server.release()
        shutil.rmtree(server.home)
