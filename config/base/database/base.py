"""PostgreSQL as Django knows it, on a server that we start when it is first needed.

Starting it with the first connection, not with the settings, keeps commands that need no
database free of one. A connection that fails starts the server again: whoever killed it, the
next request finds it up.
"""

import select
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base, client
from psycopg import OperationalError
from psycopg.pq import TransactionStatus

from config.base.embedded import postgres


class DatabaseClient(client.DatabaseClient):
    """`dbshell` on a server that may have to be started first."""

    def runshell(self, parameters: Iterable[str]) -> None:
        """Fill in where the server is, then open the shell."""
        self.connection.get_connection_params()
        super().runshell(parameters)


class DatabaseWrapper(base.DatabaseWrapper):
    """Fill in where the embedded server is, and have it running."""

    client_class = DatabaseClient

    def get_connection_params(self) -> dict[str, Any]:
        """Return the parameters of a connection to a server that is up."""
        server = postgres.server(
            Path(settings.LOYALTY_DATA_DIR), tuple(settings.LOYALTY_POSTGRES_OPTIONS.items())
        )
        server.ensure_once()
        self.settings_dict["HOST"] = str(server.socket_dir)
        self.settings_dict["PORT"] = str(postgres.PORT)
        self.settings_dict["PASSWORD"] = server.passwords[self.settings_dict["USER"]]
        parameters: dict[str, Any] = super().get_connection_params()
        return parameters

    def is_usable(self) -> bool:
        """Tell whether the connection still stands, asking the server only where there is doubt.

        Called once a request. An idle socket has nothing to read; that the server has gone reads
        as its end, which over a local socket comes at once.
        """
        raw = self.connection
        if raw is None or raw.closed or raw.info.transaction_status != TransactionStatus.IDLE:
            return super().is_usable()
        poll = select.poll()
        poll.register(raw.fileno(), select.POLLIN)
        return super().is_usable() if poll.poll(0) else True

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open a connection, having the server started again if it is gone."""
        try:
            return super().get_new_connection(conn_params)
        except OperationalError:
            server = postgres.server(
                Path(settings.LOYALTY_DATA_DIR), tuple(settings.LOYALTY_POSTGRES_OPTIONS.items())
            )
            if server.answers():
                raise
            server.ensure()
            return super().get_new_connection(conn_params)
