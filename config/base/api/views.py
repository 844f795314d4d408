"""The base of every endpoint."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.base.api import json_format, problems
from config.base.api.scopes import HasScope
from config.base.errors import DomainError


class Endpoint(APIView):
    """Strict JSON in, JSON or a problem out.

    `scopes` names the scope that each method needs; a method without one is shut, unless the
    whole endpoint is public.
    """

    http_method_names = ["get", "post", "put", "patch", "delete"]

    renderer_classes = (json_format.JSONRenderer,)
    parser_classes = (json_format.StrictJSONParser,)
    content_negotiation_class = json_format.OnlyJSON
    permission_classes = (HasScope,)
    scopes: ClassVar[Mapping[str, str]] = {}
    is_public: ClassVar[bool] = False
    max_body_bytes: ClassVar[int] = json_format.MAX_BODY_BYTES

    @classmethod
    def offers(cls, method: str) -> bool:
        """Say whether the endpoint has the method."""
        return method.lower() in cls.http_method_names and hasattr(cls, method.lower())

    def get_exception_handler(self) -> Any:
        """Return the handler that writes problem documents."""
        return problems.handle

    def handle_exception(self, exc: Exception) -> Response:
        """Answer an exception; unlike the framework, never by raising it again."""
        answer: Response = problems.handle(exc, self.get_exception_handler_context())
        answer.exception = True
        return answer

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep answers with members' data out of every cache on the way."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer


class NotFoundError(DomainError):
    """Nothing is at this address."""

    def __init__(self) -> None:
        super().__init__("not_found", _("There is nothing at this address."), status=404)


class NotFound(Endpoint):
    """Any address of the API that is none."""

    is_public = True
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer every method alike.

        Raises: NotFoundError always.
        """
        raise NotFoundError
