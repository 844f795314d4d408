"""Django application configuration of `members`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from members import insight_fields, segment_fields


class MembersConfig(AppConfig):
    """Register the app under its own label, with 64-bit primary keys."""

    name = "members"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Members")

    def ready(self) -> None:
        """Say what segments can ask about."""
        segment_fields.install()
        insight_fields.install()
