"""Who gets into the console: second factors, lockout, and how long a session lives.

Source: MEM-10.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from config.base.settings.environment import IS_PRODUCTION, env

CONFIRM_MINUTES: int = env.int("LOYALTY_CONFIRM_MINUTES", default=10)
SESSION_IDLE_MINUTES: int = env.int("LOYALTY_SESSION_IDLE_MINUTES", default=30)
SESSION_HOURS: int = env.int("LOYALTY_SESSION_HOURS", default=12)
ADMINISTRATORS_NEED_SECOND_FACTOR: bool = env.bool(
    "LOYALTY_ADMINISTRATORS_NEED_SECOND_FACTOR", default=IS_PRODUCTION
)
# Proxies in front that add to X-Forwarded-For; what comes before theirs anybody can write.
PROXIES: int = env.int("LOYALTY_PROXIES", default=0)

# Log-ins that one address may try within a minute, whatever names it tries.
LOGINS_PER_MINUTE: int = env.int("LOYALTY_LOGINS_PER_MINUTE", default=30)
# Django's list of common passwords holds 20,000.
PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator")
] + [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    }
]

AXES: dict[str, Any] = {
    # Who guesses locks themselves out, not the person whose name they guess with.
    "AXES_LOCKOUT_PARAMETERS": [["username", "ip_address"]],
    "AXES_FAILURE_LIMIT": env.int("LOYALTY_LOGIN_TRIES", default=5),
    "AXES_COOLOFF_TIME": timedelta(minutes=env.int("LOYALTY_LOCKOUT_MINUTES", default=15)),
    "AXES_RESET_ON_SUCCESS": True,
    "AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT": False,
    "AXES_LOCKOUT_CALLABLE": "config.safety.login.locked_out",
    "AXES_CLIENT_IP_CALLABLE": "config.base.admin.acting.address_of",
    # Log-ins are acts of staff; nothing is kept twice.
    "AXES_DISABLE_ACCESS_LOG": True,
    "AXES_ENABLE_ADMIN": False,
    "AXES_VERBOSE": False,
}


def passkeys(hosts: Sequence[str], *, is_production: bool) -> dict[str, Any]:
    """Return the settings of passkeys: they are good for the host that the console is opened at.

    The helper takes host and origin from the request, which Django has compared with the allowed
    hosts; what is named here is for the library's own checks.
    """
    host = next((name for name in hosts if name and name[0].isalnum()), "localhost")
    return {
        "OTP_WEBAUTHN_HELPER_CLASS": "config.safety.passkeys.PasskeyHelper",
        "OTP_WEBAUTHN_RP_ID": host,
        "OTP_WEBAUTHN_RP_NAME": "Loyalty",
        "OTP_WEBAUTHN_ALLOWED_ORIGINS": [f"https://{host}" if is_production else f"http://{host}"],
        "OTP_WEBAUTHN_ALLOW_PASSWORDLESS_LOGIN": False,
        "OTP_WEBAUTHN_EXCEPTION_LOGGER_NAME": "",
        "OTP_TOTP_ISSUER": "Loyalty",
    }
