"""What is shown of personal values to those who may not read them."""

from typing import Final

STAR: Final = "*"
MAX_SHOWN_NAME: Final = 1


def mask_name(name: str) -> str:
    """Return the first character and stars: 张三 → 张*, 欧阳娜娜 → 欧***, Ann Lee → A******."""
    name = name.strip()
    return name[:MAX_SHOWN_NAME] + STAR * min(len(name) - MAX_SHOWN_NAME, 6) if name else ""


def mask_value(kind: str, normal: str) -> str:
    """Return an identifier as it may be shown beside a member."""
    if kind == "phone":
        return _mask_phone(normal)
    if kind == "email":
        local, _at, domain = normal.partition("@")
        return f"{local[:1]}***@{domain}"
    return f"…{normal[-4:]}" if len(normal) >= 8 else "…"


def _mask_phone(number: str) -> str:
    """Return a Chinese number as people write it (138****8000), others with their prefix."""
    national = number.removeprefix("+86")
    return f"{national[:3]}****{national[-4:]}"
