"""Which Content-Security-Policy a page gets."""

import dataclasses

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase


class PolicyMiddleware(CSPMiddleware):
    """The strict policy everywhere, the console's own on console pages."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Return the parts of the policy for this page."""
        parts = super().get_policy_parts(request, response, report_only)
        if report_only or not request.path_info.startswith(settings.CONSOLE_PATH):
            return parts
        return dataclasses.replace(parts, config=settings.CONSOLE_SECURITY_POLICY)
