"""How numbers look in the console."""

from decimal import Decimal

from django.conf import settings

from config.base import money as currency

SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "HKD": "HK$"}


def points(number: int) -> str:
    """Return points with thousands apart: 1,234."""
    return f"{number:,}"


def signed(number: int) -> str:
    """Return a change of points with its sign: +1,234 or −5."""
    return f"{number:+,}".replace("-", "−") if number else "0"


def money(amount: Decimal | None) -> str:
    """Return an amount in the programme's currency: ¥1,234.50."""
    if amount is None:
        return "–"
    symbol = SYMBOLS.get(settings.LOYALTY_CURRENCY, f"{settings.LOYALTY_CURRENCY} ")
    return f"{symbol}{amount:,.{currency.exponent()}f}"


def share(part: int, whole: int) -> int:
    """Return a part of a whole in per cent, rounded down, between 0 and 100."""
    if whole <= 0:
        return 0
    return max(0, min(100, part * 100 // whole))


def card(number: str) -> str:
    """Return a card number in groups of four."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def deducted(number: int) -> str:
    """Return points that go off a balance, with their sign: −5."""
    return signed(-number)


def plain(value: object) -> str:
    """Return a number as people write it: without zeros that say nothing."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
