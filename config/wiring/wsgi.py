"""The WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

from config.base import checks, memory

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.base.settings")

application = get_wsgi_application()
checks.refuse_unsafe_database()
memory.settle()
