"""Run the site: web, worker and scheduler, on services of its own unless some are configured."""

import contextlib
import os
import shutil
import socket
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from config.base import checks
from config.base.embedded import broker
from config.base.settings.jobs import PROMPT
from config.wiring import supervisor


class Command(BaseCommand):
    """Start everything the site needs, print its address, stop everything on Ctrl-C."""

    help = "Run web, worker and scheduler, with embedded services if none are configured."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        parser.add_argument("--workers", type=int, default=min(4, os.cpu_count() or 1))
        parser.add_argument("--threads", type=int, default=4, help="per web worker")
        parser.add_argument("--no-scheduler", action="store_true")
        parser.add_argument("--no-worker", action="store_true")
        parser.add_argument("--no-migrate", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, run, stop."""
        host, port = options["host"], options["port"]
        refuse_taken(host, port)
        if not options["no_migrate"]:
            call_command("migrate", verbosity=0, interactive=False)
        checks.refuse_unsafe_database()
        if broker.is_embedded(settings.CELERY["broker_url"], settings.LOYALTY_DATA_DIR):
            broker.server(settings.LOYALTY_DATA_DIR).ensure()
        processes = supervisor.Supervisor(
            programs=programs(options), environment=environment(), say=self.stderr.write
        )
        address = f"http://{host}:{port}/"
        threading.Thread(target=self.announce, args=(address, processes), daemon=True).start()
        processes.run()
        self.stdout.write(_("Stopped."))

    def announce(self, address: str, processes: supervisor.Supervisor) -> None:
        """Print the address once the site answers there, however long a busy machine takes."""
        while not processes.is_stopping:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}livez", timeout=5).close()  # noqa: S310 (ours)
                text = _("The site is at %(address)s – Ctrl-C stops it.")
                self.stdout.write(self.style.SUCCESS(text % {"address": address}))
                self.stdout.flush()
                return
            time.sleep(0.2)


def refuse_taken(host: str, port: int) -> None:
    """Stop before anything starts when another program has the port.

    Raises: CommandError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = _("Cannot listen on %(host)s:%(port)s: %(error)s. Choose another --port.")
            details = {"host": host, "port": port, "error": error.strerror}
            raise CommandError(message % details) from error


def environment() -> dict[str, str]:
    """Return the environment of the programs, with a fresh folder for their counters."""
    counters = Path(settings.LOYALTY_DATA_DIR) / "metrics"
    shutil.rmtree(counters, ignore_errors=True)
    counters.mkdir(parents=True)
    return os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(counters)}


def programs(options: dict[str, Any]) -> list[supervisor.Program]:
    """Return what to run."""
    celery = [sys.executable, "-m", "celery", "--app", "config.wiring.celery", "--quiet"]
    web = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
        *("--host", options["host"], "--port", str(options["port"])),
        *("--workers", str(options["workers"]), "--blocking-threads", str(options["threads"])),
        *("--respawn-failed-workers", "--workers-kill-timeout", "10", "--log-level", "warning"),
        "config.wiring.wsgi:application",
    ]
    chosen = [supervisor.Program("web", web)]
    if not options["no_worker"]:
        worker = ["worker", "--concurrency", "2", "--without-gossip", "--without-mingle"]
        chosen.append(supervisor.Program("worker", [*celery, *worker, "--loglevel", "WARNING"]))
        prompt = ["worker", "--queues", PROMPT, "--pool", "solo", "--hostname", "prompt@%h"]
        quiet = ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
        chosen.append(supervisor.Program("prompt worker", [*celery, *prompt, *quiet]))
    if not options["no_scheduler"]:
        beat = ["beat", "--pidfile", "", "--loglevel", "WARNING"]
        chosen.append(supervisor.Program("scheduler", [*celery, *beat]))
    return chosen
