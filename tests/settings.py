"""Settings of the test suite: the site's own, on a server whose data may be lost."""

import os
from pathlib import Path

os.environ.setdefault(
    "LOYALTY_DATA_DIR", str(Path(__file__).resolve().parent.parent / ".data" / "tests")
)
os.environ.setdefault(
    "LOYALTY_POSTGRES_OPTIONS", "fsync=off full_page_writes=off synchronous_commit=off"
)

from config.base.settings import *  # noqa: F403  (the environment comes first)

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Every log-in would ask the database thrice; tests of the lockout switch it on.
AXES_ENABLED = False
LOYALTY_LOGINS_PER_MINUTE = 0
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
