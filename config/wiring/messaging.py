"""What messages add elsewhere: pages of the console, parts of others, lines of the journal."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from campaigns.admin import message_editor, message_pages
from campaigns.services import journal_lines
from config.base.admin.reauth import fresh_login_required
from config.base.panels import EventText, Page, Panel, Place, Todo, register
from members.admin import timeline
from rewards.services import journal


def install() -> None:
    """Register them; doing it again changes nothing."""
    journal.register(journal_lines.MESSAGE)
    register(
        Page("messages/", "messages", message_pages.messages_page),
        Page("messages/trigger/", "message_trigger", message_pages.trigger_page),
        Page(
            "messages/settings/", "message_policy", fresh_login_required(message_pages.policy_page)
        ),
        Page("messages/content/", "content_library", message_pages.content_page),
        Page("messages/<int:message_id>/again/", "message_retry", message_pages.retry_page),
        Page("messages/templates/new/", "message_template_add", message_editor.template_add_page),
        Page(
            "messages/templates/<int:template_id>/", "message_template",
            message_editor.template_page,
        ),
        Panel(
            "campaigns.messages", Place.MEMBER_PROFILE, "admin/campaigns/member_messages.html",
            message_pages.of_member, 40, message_pages.VIEW,
        ),
        Todo(
            "messages", _("Messages of unknown outcome"), "outgoing_mail",
            message_pages.in_trouble,
            lambda _visit: reverse("admin:campaigns_message_changelist") + "?state__exact=unknown",
            65, message_pages.RETRY,
        ),
        EventText("message.retried", timeline.sealed_details),
    )  # fmt: skip
