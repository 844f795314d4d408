"""Django application configuration of `config`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from config.base import checks


class ProgrammeConfig(AppConfig):
    """Register the app under its own label, with 64-bit primary keys."""

    name = "config"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Programme")

    # Importing the module registers its checks.
    checks_module = checks
