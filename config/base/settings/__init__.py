"""Settings, by environment. `docs/operations.md` lists every variable."""

from django.utils.translation import gettext_lazy as _

from config.base.settings import database, secret
from config.base.settings.environment import BASE_DIR, DATA_DIR, IS_PRODUCTION, env

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or (
    "" if IS_PRODUCTION else secret.kept_secret(DATA_DIR / "secret_key")
)
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[] if IS_PRODUCTION else ["localhost", "127.0.0.1", "[::1]"]
)

LOYALTY_IS_PRODUCTION = IS_PRODUCTION
LOYALTY_DATA_DIR = DATA_DIR
LOYALTY_TIME_ZONE = env.str("LOYALTY_TIME_ZONE", default="Asia/Shanghai")
LOYALTY_CURRENCY = env.str("LOYALTY_CURRENCY", default="CNY")
LOYALTY_CLOCK = env.str("LOYALTY_CLOCK", default="wall")
LOYALTY_LEAP_DAY = env.str("LOYALTY_LEAP_DAY", default="before")
LOYALTY_POSTGRES_OPTIONS = database.postgres_options()
LOYALTY_DATABASE_OWNER = database.owner_login()
LOYALTY_KEYS = env.str("LOYALTY_KEYS", default="") or (
    "" if IS_PRODUCTION else f"1:{secret.kept_secret(DATA_DIR / 'data_key')}"
)

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "pgtrigger",
    "config",
    "members",
    "tiers",
    "rewards",
    "campaigns",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.wiring.urls"
WSGI_APPLICATION = "config.wiring.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = database.databases()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = LOYALTY_TIME_ZONE

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
