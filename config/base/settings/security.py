"""What production refuses to start with, and what pages may load."""

from django.core.exceptions import ImproperlyConfigured

MINIMUM_SECRET_LENGTH = 40

CONSOLE_PATH = "/admin/"

# Every page but the console's: nothing that the site does not serve itself, and no inline code.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}

# The console's components are evaluated in the page and styled inline; nothing more is given.
CONSOLE_SECURITY_POLICY = CONTENT_SECURITY_POLICY["DIRECTIVES"] | {
    "script-src": ["'self'", "'unsafe-inline'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
}


def unsafe_settings(
    *, debug: bool, secret_key: str, clock: str, keys: str, allows_private: bool = False
) -> list[str]:
    """Return what is wrong with the settings of a production site."""
    wrong = []
    if debug:
        wrong.append("DEBUG must be off")
    if len(secret_key) < MINIMUM_SECRET_LENGTH or secret_key.startswith("django-insecure"):
        wrong.append(f"SECRET_KEY must be set, random and {MINIMUM_SECRET_LENGTH} or more long")
    if clock != "wall":
        wrong.append("LOYALTY_CLOCK must be left at 'wall': any other is for tests")
    if not keys:
        wrong.append("LOYALTY_KEYS must be set: personal data is encrypted under it")
    if allows_private:
        wrong.append("LOYALTY_WEBHOOK_ALLOW_PRIVATE must be off: it opens the site's own network")
    return wrong


def refuse_unsafe(
    *, debug: bool, secret_key: str, clock: str, keys: str, allows_private: bool = False
) -> None:
    """Stop the start of a production site that would run unsafely.

    Raises: ImproperlyConfigured, naming everything that is wrong.
    """
    wrong = unsafe_settings(
        debug=debug, secret_key=secret_key, clock=clock, keys=keys, allows_private=allows_private
    )
    if wrong:
        raise ImproperlyConfigured(
            "不安全的生产配置 / Unsafe production settings: " + "; ".join(wrong)
        )
