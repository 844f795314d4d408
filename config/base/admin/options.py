"""How the console shows models: read-mostly, searched exactly, counted cheaply."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from config.base.admin import scope
from config.base.admin.paginator import EstimatedPaginator


class ConsoleChangeList(ChangeList):  # type: ignore[misc]  # Unfold has no types
    """A list that says how many rows it found only where something was looked for.

    It is sorted by the columns that it offers to sort by, and by no others: an address written by
    hand would have a large table read and sorted.
    """

    def get_ordering_field(self, field_name: Any) -> Any:
        """Return what a column is sorted by, nothing for one that sorting is not offered for."""
        if field_name not in self.sortable_by:
            return None
        return super().get_ordering_field(field_name)

    def get_ordering(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> list[Any]:
        """Return the order; rows that are alike go the same way, as an index has them."""
        ordering: list[Any] = list(dict.fromkeys(super().get_ordering(request, queryset)))
        is_rising = isinstance(ordering[0], str) and not ordering[0].startswith("-")
        if is_rising and ordering[-1] == "-pk":
            ordering[-1] = "pk"
        return ordering

    def get_results(self, request: HttpRequest) -> None:
        """Read the page; without a filter the number found is the number there is."""
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count


class ConsoleAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold has no types
    """What all lists of the console share."""

    paginator = EstimatedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    list_fullwidth = True
    list_filter_submit = True
    compressed_fields = True
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Return the rows that the visitor may see, for lists, pages, actions and completion."""
        return scope.narrowed(request, super().get_queryset(request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ConsoleChangeList]:
        """Return the kind of list that the console shows."""
        return ConsoleChangeList

    def confirmation(
        self, request: HttpRequest, *, title: str, question: str, back: str
    ) -> HttpResponse:
        """Ask before an action is carried out; its button posts to the same address."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "question": question,
            "back": back,
        }
        return TemplateResponse(request, "admin/console/confirm.html", context)


class ReadOnlyAdmin(ConsoleAdmin):
    """Rows that only services write: shown, never edited here.

    `concealed` names columns that are not shown either; binary columns never are.
    """

    concealed: Sequence[str] = ()
    shown_last: Sequence[str] = ()
    actions = None
    show_add_link = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: a service makes these rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a service changes these rows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: nothing here is deleted by hand."""
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return every column that people may see."""
        columns = [
            column.name
            for column in self.model._meta.concrete_fields
            if not isinstance(column, models.BinaryField)
            and column.name not in self.concealed
            and not column.primary_key
        ]
        return [*columns, *self.shown_last]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return the same columns, none of them a field of a form."""
        return self.get_fields(request, obj)


class ExactSearchMixin:
    """Search by whole values through an index, never by parts of big tables.

    `search_fields` only makes the search box appear; `find` decides.
    """

    search_fields: Sequence[str] = ("pk",)

    def find(self, rows: models.QuerySet[Any], term: str) -> models.QuerySet[Any]:
        """Return the rows that a term names."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Return what the term finds; an empty term finds everything."""
        term = search_term.strip()
        return (self.find(queryset, term) if term else queryset), False
