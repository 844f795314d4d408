"""Settings, by environment. `docs/operations.md` lists every variable."""

import os

from django.utils.translation import gettext_lazy as _

from config.base.settings import console, database, jobs, log, safety, secret, security
from config.base.settings.environment import (
    BASE_DIR,
    DATA_DIR,
    IS_PRODUCTION,
    env,
    settings_under,
)

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or (
    "" if IS_PRODUCTION else secret.kept_secret(DATA_DIR / "secret_key")
)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[] if IS_PRODUCTION else ["localhost", "127.0.0.1", "[::1]"]
)

LOYALTY_IS_PRODUCTION = IS_PRODUCTION
LOYALTY_DATA_DIR = DATA_DIR
LOYALTY_TIME_ZONE = env.str("LOYALTY_TIME_ZONE", default="Asia/Shanghai")
LOYALTY_CURRENCY = env.str("LOYALTY_CURRENCY", default="CNY")
LOYALTY_CLOCK = env.str("LOYALTY_CLOCK", default="wall")
# For tests and for receivers on the same machine; production refuses it.
LOYALTY_WEBHOOK_ALLOW_PRIVATE = env.bool("LOYALTY_WEBHOOK_ALLOW_PRIVATE", default=False)
LOYALTY_LEAP_DAY = env.str("LOYALTY_LEAP_DAY", default="before")
LOYALTY_DELIVERIES_KEPT_DAYS = env.int("LOYALTY_DELIVERIES_KEPT_DAYS", default=30)
# More members than this enrolled by one member of staff within an hour open a case.
LOYALTY_ENROLMENTS_PER_HOUR = env.int("LOYALTY_ENROLMENTS_PER_HOUR", default=20)
# Whether yesterday can still be checked in today (补签).
LOYALTY_CHECK_IN_MAKE_UP = env.bool("LOYALTY_CHECK_IN_MAKE_UP", default=False)
# Hosts that serve the API: each counts requests for itself and allows its share of a limit.
LOYALTY_WEB_HOSTS = max(1, env.int("LOYALTY_WEB_HOSTS", default=1))
# How often a day one member of staff may look at personal data in clear.
LOYALTY_REVEALS_PER_DAY = env.int("LOYALTY_REVEALS_PER_DAY", default=50)
# How many purchases of a member may be claimed by hand in one local month.
LOYALTY_CLAIMS_PER_MONTH = env.int("LOYALTY_CLAIMS_PER_MONTH", default=5)
# How many coupon codes that lead nowhere a touchpoint may try within an hour.
LOYALTY_UNKNOWN_COUPONS_PER_HOUR = env.int("LOYALTY_UNKNOWN_COUPONS_PER_HOUR", default=10)
# The largest file that the console takes in.
LOYALTY_UPLOAD_MEGABYTES = env.int("LOYALTY_UPLOAD_MEGABYTES", default=200)
LOYALTY_POSTGRES_OPTIONS: dict[str, str] = database.postgres_options()
LOYALTY_DATABASE_OWNER = database.owner_login()
LOYALTY_KEYS = env.str("LOYALTY_KEYS", default="") or (
    "" if IS_PRODUCTION else f"1:{secret.kept_secret(DATA_DIR / 'data_key')}"
)

if IS_PRODUCTION:
    security.refuse_unsafe(
        debug=DEBUG,
        secret_key=SECRET_KEY,
        clock=LOYALTY_CLOCK,
        keys=LOYALTY_KEYS,
        allows_private=LOYALTY_WEBHOOK_ALLOW_PRIVATE,
    )

INSTALLED_APPS = [
    "config.base.admin.apps.ConsoleConfig",
    "unfold.contrib.filters",
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
    "django_prometheus",
    "csp",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp_webauthn",
    "config.safety.apps.GuardConfig",
    "config",
    "members",
    "tiers",
    "rewards",
    "campaigns",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.base.csp.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "config.safety.middleware.ActingMiddleware",
    "config.safety.middleware.SessionMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
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
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "unfold"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = LOYALTY_TIME_ZONE

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if not IS_PRODUCTION:
    # Served from where the apps keep them: nothing to collect before the first start.
    STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    WHITENOISE_USE_FINDERS = True
    STATIC_ROOT = DATA_DIR / "static"
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
MEDIA_ROOT = DATA_DIR / "media"

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_PRODUCTION
SESSION_COOKIE_AGE = safety.SESSION_HOURS * 3600
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=IS_PRODUCTION)
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=3600 if IS_PRODUCTION else 0)
# Of the console's own host; preloading means something from a year of HSTS on only.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=IS_PRODUCTION)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=IS_PRODUCTION)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_PRODUCTION else None
SECURE_REFERRER_POLICY = "same-origin"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = safety.PASSWORD_VALIDATORS
LOYALTY_LOGINS_PER_MINUTE = safety.LOGINS_PER_MINUTE
LOYALTY_CONFIRM_MINUTES = safety.CONFIRM_MINUTES
LOYALTY_SESSION_IDLE_MINUTES = safety.SESSION_IDLE_MINUTES
LOYALTY_SESSION_HOURS = safety.SESSION_HOURS
LOYALTY_ADMINISTRATORS_NEED_SECOND_FACTOR = safety.ADMINISTRATORS_NEED_SECOND_FACTOR
LOYALTY_PROXIES = safety.PROXIES
globals().update(safety.AXES, **safety.passkeys(ALLOWED_HOSTS, is_production=IS_PRODUCTION))

UNFOLD = console.UNFOLD
CONSOLE_PATH = security.CONSOLE_PATH
CONTENT_SECURITY_POLICY = security.CONTENT_SECURITY_POLICY
CONSOLE_SECURITY_POLICY = security.CONSOLE_SECURITY_POLICY
LOGGING = log.LOGGING
CELERY = jobs.CELERY | {"timezone": TIME_ZONE}
CELERY_TIMEZONE = TIME_ZONE
DJANGO_CELERY_BEAT_TZ_AWARE = True

# Counted in /metrics for the site itself; collectors of its own would ask the database twice.
PROMETHEUS_EXPORT_MIGRATIONS = False

# Without a mail server nothing is sent, and whatever needs mail says so.
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", default=False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="loyalty@localhost")

# Other ways to members; each is open where it is set up. Back ends of mail providers are those of
# django-anymail (the extra `email`): EMAIL_BACKEND names one, ANYMAIL_… are its own settings.
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.smtp.EmailBackend")
ANYMAIL = settings_under("ANYMAIL_", os.environ)
LOYALTY_SMS_PROVIDER = env.str("LOYALTY_SMS_PROVIDER", default="" if IS_PRODUCTION else "console")
LOYALTY_SMS_URL = env.str("LOYALTY_SMS_URL", default="")
LOYALTY_SMS_KEY = env.str("LOYALTY_SMS_KEY", default="")
LOYALTY_SMS_SECRET = env.str("LOYALTY_SMS_SECRET", default="")
LOYALTY_SMS_APP = env.str("LOYALTY_SMS_APP", default="")
LOYALTY_SMS_REGION = env.str("LOYALTY_SMS_REGION", default="ap-guangzhou")
LOYALTY_SMS_SIGNATURE = env.str("LOYALTY_SMS_SIGNATURE", default="")
LOYALTY_SMS_TEMPLATES = env.json("LOYALTY_SMS_TEMPLATES", default={})
LOYALTY_PUSH_URL = env.str("LOYALTY_PUSH_URL", default="")
LOYALTY_PUSH_SECRET = env.str("LOYALTY_PUSH_SECRET", default="")
LOYALTY_PUSH_APP = env.str("LOYALTY_PUSH_APP", default="app")
LOYALTY_WECHAT_URL = env.str("LOYALTY_WECHAT_URL", default="")
LOYALTY_WECHAT_SECRET = env.str("LOYALTY_WECHAT_SECRET", default="")
LOYALTY_WECHAT_APP = env.str("LOYALTY_WECHAT_APP", default="")
# Where members reach the site, for links in messages to them.
LOYALTY_PUBLIC_URL = env.str("LOYALTY_PUBLIC_URL", default="http://localhost:8000")
# Values that messages were made with are kept for so long; then only that they were sent.
LOYALTY_MESSAGES_KEPT_DAYS = env.int("LOYALTY_MESSAGES_KEPT_DAYS", default=180)
# Prospects who have not joined by then are forgotten.
LOYALTY_PROSPECTS_KEPT_DAYS = env.int("LOYALTY_PROSPECTS_KEPT_DAYS", default=180)

SPECTACULAR_SETTINGS = {
    "TITLE": "Loyalty",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
}

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
