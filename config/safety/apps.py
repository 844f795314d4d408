"""The guard against guessed passwords, under a name that people read."""

from axes.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GuardConfig(AppConfig):  # type: ignore[misc]  # axes has no types
    """The app of axes with a name in the console's languages."""

    verbose_name = _("Wrong passwords")
