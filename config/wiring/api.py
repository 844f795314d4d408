"""Version 1 of the API: the endpoints of all apps, their description, and its pages."""

from typing import Any

from csp.decorators import csp_update
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api import codes, openapi
from config.base.api.views import Endpoint, NotFound, NotFoundError

DESCRIPTION = """Money is a decimal string in the programme's currency, points are whole numbers,
times are RFC 3339 with an offset. Unknown keys are refused. Errors are problem documents
(RFC 9457) with a stable `code`; titles and sentences follow `Accept-Language` (zh-Hans, en)."""

SCHEMA_SETTINGS: dict[str, Any] = {
    "TITLE": "Loyalty API",
    "DESCRIPTION": DESCRIPTION,
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "APPEND_COMPONENTS": {"schemas": openapi.components()},
    "SORT_OPERATIONS": True,
    "POSTPROCESSING_HOOKS": [],
}


class ProblemView(Endpoint):
    """What a kind of problem means: the address in the `type` of problem documents."""

    is_public = True
    schema = None

    def get(self, request: Request, code: str) -> Response:
        """Return the code's status and title in the reader's language."""
        kind = codes.known().get(code)
        if kind is None:
            raise NotFoundError
        return Response({"code": kind.code, "status": kind.status, "title": str(kind.title)})


schema = SpectacularJSONAPIView.as_view(custom_settings=SCHEMA_SETTINGS)
# The pages lay themselves out with inline styles; scripts stay those that the site serves.
docs = csp_update({"style-src": ["'unsafe-inline'"]})(
    SpectacularSwaggerSplitView.as_view(url_name="api-schema")
)

urlpatterns = [
    path("v1/schema", schema, name="api-schema"),
    path("docs", docs, name="api-docs"),
    path("problems/<slug:code>", ProblemView.as_view(), name="api-problem"),
    path("v1/", include("members.api.urls")),
    path("v1/", include("rewards.api.urls")),
    path("v1/", include("campaigns.api.urls")),
    re_path(r"^[\s\S]*$", NotFound.as_view()),
]
