"""Lists of feedback forms and of who has answered them; they are worked on elsewhere."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import feedback_words
from campaigns.models import FeedbackAnswer, FeedbackForm
from config.base.admin.decorators import labelled
from config.base.admin.options import ReadOnlyAdmin


@admin.register(FeedbackForm)
class FeedbackFormAdmin(ReadOnlyAdmin):
    """Feedback forms as a list; each has a page of its own."""

    list_display = ("title_zh", "campaign", "state_label", "opened_at", "closed_at", "links")
    list_select_related = ("campaign",)
    list_filter = ("state",)
    search_fields = ("title_zh", "title_en", "campaign__code")
    shown_last = ("links",)

    @labelled(_("state"), feedback_words.COLOURS)
    def state_label(self, form: FeedbackForm) -> tuple[str, str]:
        """Return where the form stands, with its colour."""
        return form.state, form.get_state_display()

    @admin.display(description=_("open"))
    def links(self, form: FeedbackForm) -> SafeString:
        """Return the way to the form's page."""
        address = reverse("admin:feedback_form", args=[form.pk])
        return format_html('<a class="lc-link" href="{}">{}</a>', address, gettext("Page"))


@admin.register(FeedbackAnswer)
class FeedbackAnswerAdmin(ReadOnlyAdmin):
    """Who was asked and when they have answered; what they said is on the form's page."""

    list_display = ("form", "member", "arm", "asked_at", "answered_at", "changed_at")
    list_select_related = ("form", "member")
    list_filter = ("arm",)
    concealed = ("public_id", "counted", "sealed")
