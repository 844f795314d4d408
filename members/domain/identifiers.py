"""The normal form of identifiers, so that one person's number is one text however it was typed.

Nothing here, and no error raised here, repeats the value: errors are logged and shown.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Final

import phonenumbers
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.domain import card

DEFAULT_REGION: Final = "CN"
MAX_LENGTH: Final = 128
MAX_APP_LENGTH: Final = 64
MAX_EMAIL_LENGTH: Final = 254
TAIL_LENGTH: Final = 4
MIN_LENGTH_WITH_TAIL: Final = 8

APP_REQUIRED: Final = frozenset({"wechat_openid", "marketplace_buyer"})
APP_ALLOWED: Final = APP_REQUIRED | {"external", "alipay_user_id", "wecom_external_userid"}
WITHOUT_TAIL: Final = frozenset({"email"})

_SEPARATORS = re.compile(r"[\s\-‐-―−().·/]+")
_CN_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})", re.ASCII)
_CN_OTHER = re.compile(r"[2-9][0-9]{8,10}|10[0-9]{7,8}", re.ASCII)
_DIGITS = re.compile(r"\+?[0-9]{5,20}", re.ASCII)
_LOCAL_PART = re.compile(r"[^\s@\"(),:;<>\[\]\\]{1,64}")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.ASCII)
_FORBIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class IdentifierInvalid(DomainError):
    """The value cannot be an identifier of its kind; `reason` says why, the value is not kept."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(
            "identifier_invalid", _("This is not a valid identifier."), kind=kind, reason=reason
        )


def normalise(kind: str, value: str, app: str = "") -> str:
    """Return the normal form of an identifier's value.

    Raises: IdentifierInvalid for values, kinds or apps that cannot be.
    Source: MEM-03.
    """
    if kind not in _NORMALISERS:
        raise IdentifierInvalid(kind[:24], "kind_unknown")
    _check_app(kind, app)
    return _NORMALISERS[kind](kind, _plain(kind, value))


def tail_of(kind: str, normal: str) -> str:
    """Return the last four characters that staff search by, or nothing where they tell too much."""
    if kind in WITHOUT_TAIL or len(normal) < MIN_LENGTH_WITH_TAIL:
        return ""
    return normal[-TAIL_LENGTH:]


def _check_app(kind: str, app: str) -> None:
    if app and kind not in APP_ALLOWED:
        raise IdentifierInvalid(kind, "app_not_allowed")
    if not app and kind in APP_REQUIRED:
        raise IdentifierInvalid(kind, "app_required")
    if len(app) > MAX_APP_LENGTH or app != app.strip() or _has_forbidden(app):
        raise IdentifierInvalid(kind, "app_invalid")


def _plain(kind: str, value: str) -> str:
    """Return the value without surrounding space, refusing what no identifier contains."""
    if len(value) > MAX_EMAIL_LENGTH:
        raise IdentifierInvalid(kind, "too_long")
    plain = unicodedata.normalize("NFC", value.strip())
    if not plain:
        raise IdentifierInvalid(kind, "empty")
    if _has_forbidden(plain):
        raise IdentifierInvalid(kind, "character_not_allowed")
    return plain


def _has_forbidden(text: str) -> bool:
    return any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in text)


def _phone(kind: str, plain: str) -> str:
    """Return E.164. Numbers that carriers reserve for tests are numbers like others."""
    digits = _SEPARATORS.sub("", unicodedata.normalize("NFKC", plain))
    if mobile := _CN_MOBILE.fullmatch(digits):
        return f"+86{mobile[1]}"
    if not _DIGITS.fullmatch(digits):
        raise IdentifierInvalid(kind, "not_a_phone_number")
    try:
        number = phonenumbers.parse(digits, DEFAULT_REGION)
    except phonenumbers.NumberParseException as error:
        raise IdentifierInvalid(kind, "not_a_phone_number") from error
    if not _is_dialable(number):
        raise IdentifierInvalid(kind, "not_a_phone_number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_dialable(number: phonenumbers.PhoneNumber) -> bool:
    """Tell whether the number has a possible length and, in China, the form of a landline."""
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        return False
    if number.country_code != phonenumbers.country_code_for_region(DEFAULT_REGION):
        return True
    return _CN_OTHER.fullmatch(phonenumbers.national_significant_number(number)) is not None


def _email(kind: str, plain: str) -> str:
    """Return the address in lower case, its domain as it stands in the DNS."""
    folded = unicodedata.normalize("NFC", plain.lower())
    local, at, domain = folded.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local):
        raise IdentifierInvalid(kind, "not_an_email_address")
    try:
        encoded = domain.encode("idna").decode()
    except UnicodeError as error:
        raise IdentifierInvalid(kind, "not_an_email_address") from error
    if not _DOMAIN.fullmatch(encoded) or len(local) + len(encoded) + 1 > MAX_EMAIL_LENGTH:
        raise IdentifierInvalid(kind, "not_an_email_address")
    return f"{local}@{encoded}"


def _card(kind: str, plain: str) -> str:
    digits = _SEPARATORS.sub("", unicodedata.normalize("NFKC", plain))
    if not card.is_card_number(digits):
        raise IdentifierInvalid(kind, "not_a_card_number")
    return digits


def _opaque(kind: str, plain: str) -> str:
    """Return an id of another system as it is: case and inner spaces may matter to it."""
    if len(plain) > MAX_LENGTH:
        raise IdentifierInvalid(kind, "too_long")
    return plain


_NORMALISERS: Final[dict[str, Callable[[str, str], str]]] = {
    "phone": _phone,
    "email": _email,
    "card": _card,
    "wechat_unionid": _opaque,
    "wechat_openid": _opaque,
    "wecom_external_userid": _opaque,
    "alipay_user_id": _opaque,
    "marketplace_buyer": _opaque,
    "external": _opaque,
}
