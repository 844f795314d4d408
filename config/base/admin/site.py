"""The console's site: the start page and the pages that apps add through the registry."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from config.base import clock, panels


class ConsoleSite(UnfoldAdminSite):  # type: ignore[misc]  # Unfold has no types
    """Django's admin site with a dashboard and pages beside the models'."""

    index_title = _("Today")
    index_template = "admin/console/dashboard.html"
    empty_value_display = "–"

    def extra_urls(self) -> list[URLPattern]:
        """Return the addresses of the pages that apps have registered."""
        return [
            path(page.route, self.admin_view(page.view), name=page.name) for page in panels.pages()
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what every page shows, with the programme's own name under the console's."""
        context: dict[str, Any] = super().each_context(request)
        if name := panels.programme_name():
            context["site_subheader"] = name
        return context

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the panels of the start page that the visitor may see."""
        visit = panels.Visit(request, clock.now())
        context = {
            "today": clock.local(visit.at),
            "search_url": _search_address(),
            "figures": panels.render(panels.Place.DASHBOARD_FIGURES, visit),
            "todos": panels.todos(visit),
            "work": panels.render(panels.Place.DASHBOARD_WORK, visit),
            "aside": panels.render(panels.Place.DASHBOARD_ASIDE, visit),
            "charts": panels.render(panels.Place.DASHBOARD_CHARTS, visit),
        }
        response: TemplateResponse = super().index(request, {**context, **(extra_context or {})})
        return response


def _search_address() -> str:
    """Return where a search for a member leads: the desk where there is one, else the list."""
    try:
        return reverse("admin:desk")
    except NoReverseMatch:
        return reverse("admin:members_member_changelist")


def current() -> ConsoleSite:
    """Return the console's site."""
    found = admin.site
    if not isinstance(found, ConsoleSite):
        raise ImproperlyConfigured("config.base.admin.apps.ConsoleConfig is not installed")
    return found
