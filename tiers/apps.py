"""Django application configuration of `tiers`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from tiers import segment_fields


class TiersConfig(AppConfig):
    """Register the app under its own label, with 64-bit primary keys."""

    name = "tiers"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Tiers")

    def ready(self) -> None:
        """Say what segments can ask about."""
        segment_fields.install()
