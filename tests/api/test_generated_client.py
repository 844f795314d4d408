"""A client that a generator makes of the description does a till's work, unchanged."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client

from tests.api import bodies
from tests.api.conftest import Caller
from tests.factories import members

pytestmark = [pytest.mark.django_db, pytest.mark.req("INT-01", "INT-05")]

PACKAGE = "loyalty_client_of_the_tests"


@pytest.fixture(scope="module")
def generated(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None
) -> Iterator[ModuleType]:
    """Return the package that the generator makes of the description."""
    folder = tmp_path_factory.mktemp("client")
    schema = folder / "schema.json"
    schema.write_bytes(Client().get("/api/v1/schema").content)
    program = Path(sys.executable).with_name("openapi-python-client")
    options = ["--path", str(schema), "--output-path", str(folder / PACKAGE), "--meta", "none"]
    done = subprocess.run(
        [program, "generate", *options],
        capture_output=True, text=True, check=False, env={"PATH": str(program.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "Warning" not in done.stdout, done.stdout
    sys.path.insert(0, str(folder))
    yield importlib.import_module(PACKAGE)
    sys.path.remove(str(folder))


class Till:
    """A till that knows nothing of the interface but what was generated."""

    def __init__(self, package: ModuleType, secret: str, application: WSGIHandler) -> None:
        transport = httpx.WSGITransport(app=application)
        self.client = package.AuthenticatedClient(
            base_url="http://localhost", token=secret, httpx_args={"transport": transport}
        )

    def call(self, operation: str, *path: Any, body: tuple[str, Any] | None = None) -> Any:
        """Call an operation (`tag.name`) with a body of a generated model."""
        function = importlib.import_module(f"{PACKAGE}.api.{operation}")
        named: dict[str, Any] = {"client": self.client}
        if body is not None:
            models = importlib.import_module(f"{PACKAGE}.models")
            named["body"] = getattr(models, body[0]).from_dict(body[1])
        return function.sync_detailed(*path, **named)


def test_a_generated_client_enrols_quotes_orders_and_reads(
    generated: ModuleType, application: WSGIHandler, till: Caller
) -> None:
    client = Till(generated, till.secret, application)
    person = {"identifiers": [{"kind": "phone", "value": members.phone()}]}
    enrolled = client.call("members.enrol_member", body=("Enrolment", person))
    assert enrolled.status_code == 201
    member = enrolled.parsed.id

    cart = {
        "member": str(member),
        "currency": "CNY",
        "lines": [{"line_no": 1, "sku": "TEA", "quantity": 1, "amount": "1200.00"}],
    }
    quoted = client.call("quotes.quote_cart", body=("Cart", cart)).parsed
    assert quoted.points.earned == 1_200

    order = {
        **bodies.order(), "member": str(member), "quote": quoted.quote,
        "lines": quoted.order.to_dict()["lines"],
    }  # fmt: skip
    answer = client.call("facts.put_order", "till", "1001", body=("Order", order))
    assert answer.status_code == 200
    assert (answer.parsed.points.earned, answer.parsed.tier.after) == (1_200, "silver")
    assert answer.parsed.issues == []

    assert client.call("points.get_points", member).parsed.available == 1_200
    refused = client.call(
        "facts.put_order", "till", "1001", body=("Order", {**order, "store": "x"})
    )
    assert (refused.status_code, refused.parsed.code) == (409, "fact_conflict")
