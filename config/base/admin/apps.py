"""Installs the console's site in place of the one that Unfold brings."""

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin import sites

from config.base.admin.site import ConsoleSite


class ConsoleConfig(AppConfig):
    """Take Unfold's templates and static files, with a site of our own.

    It has to come before `django.contrib.admin`, so that every registration meets this site.
    """

    name = "unfold"

    def ready(self) -> None:
        """Put the site in place before any app registers its pages."""
        site = ConsoleSite()
        admin.site = site
        sites.site = site
