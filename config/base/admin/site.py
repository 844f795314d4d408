"""The console's site: the start page and the pages that apps add through the registry."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import ImproperlyConfigured, ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from config.base import clock, panels
from config.base.admin import scope

View = Callable[..., HttpResponseBase]


class ConsoleSite(UnfoldAdminSite):  # type: ignore[misc]  # Unfold has no types
    """Django's admin site with a dashboard and pages beside the models'."""

    index_title = _("Today")
    index_template = "admin/console/dashboard.html"
    empty_value_display = "–"

    def extra_urls(self) -> list[URLPattern]:
        """Return the addresses of the pages that apps have registered."""
        return [
            path(page.route, self.admin_view(_guarded(page)), name=page.name)
            for page in panels.pages()
        ]

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Return a view of the console; one about a row of a list is only for rows of that list."""
        # The models' pages cannot be imported here yet; a view of theirs is a method of one.
        find = getattr(getattr(view, "__self__", None), "get_object", None)
        if find is None:
            return cast("View", super().admin_view(view, cacheable))

        @wraps(view)
        def within_scope(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            named = kwargs.get("object_id")
            is_asked = named is not None and scope.is_limited(request)
            if is_asked and find(request, unquote(str(named))) is None:
                raise Http404
            try:
                return view(request, *args, **kwargs)
            except ObjectDoesNotExist as missing:
                if named is None:
                    raise
                raise Http404 from missing

        return cast("View", super().admin_view(within_scope, cacheable))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Return the models by app, looked up when they are listed.

        Django puts the list into every page's context; hardly a page shows it, and with a
        hundred models it costs more than the page.
        """
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what every page shows, with the programme's own name under the console's."""
        context: dict[str, Any] = super().each_context(request)
        if name := panels.programme_name():
            context["site_subheader"] = name
        return context

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the panels of the start page that the visitor may see; the charts come after it."""
        visit = panels.Visit(request, clock.now())
        context = {
            "today": clock.local(visit.at),
            "figures": panels.render(panels.Place.DASHBOARD_FIGURES, visit),
            "todos": panels.todos(visit),
            "work": panels.render(panels.Place.DASHBOARD_WORK, visit),
            "aside": panels.render(panels.Place.DASHBOARD_ASIDE, visit),
            "charts": panels.open_to(panels.Place.DASHBOARD_CHARTS, visit),
        }
        response: TemplateResponse = super().index(request, {**context, **(extra_context or {})})
        return response


def charts_page(request: HttpRequest) -> HttpResponseBase:
    """Return the charts of the start page, as a piece of it.

    They read the whole programme: the page does not wait for them.
    Raises: PermissionDenied, where the visitor may see none.
    """
    visit = panels.Visit(request, clock.now())
    if not panels.open_to(panels.Place.DASHBOARD_CHARTS, visit):
        raise PermissionDenied
    return HttpResponse("".join(panels.render(panels.Place.DASHBOARD_CHARTS, visit)))


def _guarded(page: panels.Page) -> View:
    @wraps(page.view)
    def within_scope(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        scope.guard(request, kwargs, is_scoped=page.is_scoped)
        return page.view(request, *args, **kwargs)

    return within_scope


def current() -> ConsoleSite:
    """Return the console's site."""
    found = admin.site
    if not isinstance(found, ConsoleSite):
        raise ImproperlyConfigured("config.base.admin.apps.ConsoleConfig is not installed")
    return found
