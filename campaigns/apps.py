"""Django application configuration of `campaigns`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from campaigns import wipes


class CampaignsConfig(AppConfig):
    """Register the app under its own label, with 64-bit primary keys."""

    name = "campaigns"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Marketing")

    def ready(self) -> None:
        """Say what is emptied when a member is erased."""
        wipes.install()
