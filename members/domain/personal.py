"""What is known of a person, and its form on the way into and out of the seal."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from members.domain import masking


@dataclass(frozen=True, slots=True)
class Personal:
    """Personal values of one member; `more` holds further texts by name."""

    name: str = field(default="", repr=False)
    birthday: date | None = field(default=None, repr=False)
    city: str = field(default="", repr=False)
    more: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is known."""
        return not (self.name or self.birthday or self.city or self.more)

    @property
    def name_mask(self) -> str:
        """Return the name as it may be shown."""
        return masking.mask_name(self.name)

    def filled_from(self, other: "Personal") -> "Personal":
        """Return these values, with gaps filled from others; nothing known is overwritten."""
        return replace(
            self,
            name=self.name or other.name,
            birthday=self.birthday or other.birthday,
            city=self.city or other.city,
            more={**other.more, **self.more},
        )


def pack(personal: Personal) -> bytes:
    """Return the values as the JSON that is sealed."""
    values: dict[str, object] = {
        "name": personal.name,
        "birthday": personal.birthday.isoformat() if personal.birthday else "",
        "city": personal.city,
        "more": dict(personal.more),
    }
    known = {key: value for key, value in values.items() if value}
    return json.dumps(known, ensure_ascii=False, separators=(",", ":")).encode()


def unpack(packed: bytes) -> Personal:
    """Return the values that were packed."""
    values = json.loads(packed)
    birthday = values.get("birthday")
    return Personal(
        name=values.get("name", ""),
        birthday=date.fromisoformat(birthday) if birthday else None,
        city=values.get("city", ""),
        more=values.get("more", {}),
    )


def name_key(name: str) -> str:
    """Return the form of a name that look-ups compare: spaces and case do not matter."""
    folded = unicodedata.normalize("NFC", name.casefold())
    return " ".join(folded.replace("\0", " ").split())
