"""Whether what an endpoint has answered is what its description says."""

import functools
import re
from typing import Any

import orjson
from django.test import Client
from django.urls import Resolver404, resolve

_PARAMETER = re.compile(r"<\w+:(\w+)>")


@functools.cache
def described() -> dict[tuple[str, str], dict[int, set[str]]]:
    """Return per operation each status with the codes that it may carry, as the schema says."""
    schema = orjson.loads(Client().get("/api/v1/schema").content)
    found: dict[tuple[str, str], dict[int, set[str]]] = {}
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            if "responses" not in operation:
                continue
            found[path, method.upper()] = {
                int(status): _codes(response) for status, response in operation["responses"].items()
            }
    return found


def undeclared(method: str, path: str, status: int, body: Any) -> str:
    """Return what of an answer its operation does not declare; nothing where there is none."""
    try:
        match = resolve(f"/api/v1{path.partition('?')[0]}")
    except Resolver404:
        return ""
    route = "/" + _PARAMETER.sub(r"{\1}", match.route)
    operation = described().get((route, method))
    if operation is None:
        return ""
    if status not in operation:
        return f"{method} {route} does not declare {status}: {body}"
    if status >= 400 and body["code"] not in operation[status]:
        return f"{method} {route} does not declare {body['code']} ({status})"
    return ""


def _codes(response: dict[str, Any]) -> set[str]:
    problems = response.get("content", {}).get("application/problem+json", {})
    return {example["value"]["code"] for example in problems.get("examples", {}).values()}
