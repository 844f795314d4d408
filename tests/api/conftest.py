"""A programme and touchpoints with keys, called over the test client."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from django.utils import translation

from config.base import clock
from members.domain.scopes import SCOPES
from members.models import Channel, Touchpoint
from members.services import api_keys
from rewards.presets import PRESETS
from rewards.services import presets
from tests.api.declared import undeclared
from tests.factories import members


@dataclass(slots=True)
class Answer:
    """One answer of the API."""

    status: int
    body: Any
    headers: Any
    raw: bytes

    @property
    def code(self) -> str:
        """Return the problem's code."""
        return str(self.body["code"])


class Caller:
    """A touchpoint's system: calls the API with its key."""

    def __init__(self, touchpoint: Touchpoint, secret: str) -> None:
        self.touchpoint = touchpoint
        self.secret = secret
        self.client = Client()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request; `headers` are named as HTTP names them, with underscores."""
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        response = self.client.generic(
            method,
            f"/api/v1{path}",
            content,
            content_type="application/json",
            headers={
                "Authorization": f"Bearer {self.secret}",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )
        raw = response.content
        parsed = orjson.loads(raw) if raw else None
        assert not (wrong := undeclared(method, path, response.status_code, parsed)), wrong
        return Answer(response.status_code, parsed, response.headers, raw)

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        return self.call("PUT", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Answer:
        return self.call("PATCH", path, body, **headers)


@pytest.fixture
def application() -> Iterator[WSGIHandler]:
    """Return the site as a web server calls it, in the transaction of the test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield WSGIHandler()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    """Leave no language behind that a request has chosen."""
    with translation.override(None):
        yield


@pytest.fixture
def programme(db: None) -> None:
    """Load the preset that outside checks compute too."""
    presets.load(preset=PRESETS["classic"], at=clock.now())


@pytest.fixture
def caller(programme: None) -> Callable[..., Caller]:
    """Return how to make a touchpoint with a key of some scopes (all, if none are named)."""

    def make(*scopes: str, **values: Any) -> Caller:
        touchpoint = members.touchpoint(**{"channel": Channel.POS, **values})
        secret = api_keys.issue(touchpoint, scopes or SCOPES, at=clock.now())
        return Caller(touchpoint, secret)

    return make


@pytest.fixture
def till(caller: Callable[..., Caller]) -> Caller:
    """Return a touchpoint that may do everything."""
    return caller()
