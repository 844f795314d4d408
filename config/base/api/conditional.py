"""Answers that need not be sent again when nothing in them has changed.

Source: RFC 9110 §8.8.3 (ETag), §13.1.2 (If-None-Match).
"""

import hashlib
import re
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api import json_format

_TAGS = re.compile(r'(?:W/)?"([^"]*)"')
# The caller may keep the answer and has to ask whether it still holds; nobody on the way may.
_CACHE = "private, no-cache"


def answer(request: Request, body: Any) -> Response:
    """Return the body with a weak tag of what it says; 304 where the caller has just that."""
    tag = hashlib.sha256(json_format.write(body)).hexdigest()[:32]
    headers = {"ETag": f'W/"{tag}"', "Cache-Control": _CACHE}
    asked = request.META.get("HTTP_IF_NONE_MATCH", "")
    if asked.strip() == "*" or tag in _TAGS.findall(asked):
        return Response(status=304, headers=headers)
    return Response(body, headers=headers)
