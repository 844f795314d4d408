"""Addresses of the site."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from campaigns import public_pages
from config.safety import urls as safety
from config.wiring import celery, health, monitors, panels

# What requests ask workers for goes to our broker; without this, to the one that Celery assumes.
celery.app.set_default()
# The console asks for its pages when its addresses are made.
panels.install()
monitors.install()

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    # Before the console: its log-in page is ours.
    path("admin/", include(safety)),
    path("admin/", admin.site.urls),
    path("api/", include("config.wiring.api")),
    path("m/optout/<str:token>", public_pages.opt_out, name="opt_out"),
    path("m/prospect/<str:token>", public_pages.prospect_opt_out, name="prospect_opt_out"),
    path("m/feedback/<str:token>", public_pages.feedback, name="feedback"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
]
