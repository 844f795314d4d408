"""The Celery application: `celery -A config.wiring.celery`."""

import os
import warnings

from celery import Celery
from celery.platforms import SecurityWarning
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.base.settings")

# Messages are JSON, never pickles: a worker that runs as root is no way in.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("loyalty")
app.conf.update(settings.CELERY)
# Imported once Django is set up: jobs and followers register there.
app.conf.imports = ("config.wiring.tasks",)
app.conf.beat_scheduler = "config.wiring.beat:WatchedScheduler"
app.autodiscover_tasks()
