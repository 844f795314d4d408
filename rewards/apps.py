"""Django application configuration of `rewards`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from rewards import segment_fields


class RewardsConfig(AppConfig):
    """Register the app under its own label, with 64-bit primary keys."""

    name = "rewards"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Points and rewards")

    def ready(self) -> None:
        """Say what segments can ask about."""
        segment_fields.install()
