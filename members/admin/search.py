"""Which members a search term of the console names."""

import re

from members import queries

# A card number as it is printed and read out: digits in groups.
_GROUPED_DIGITS = re.compile(r"[0-9]+(?:[ -][0-9]+)+", re.ASCII)


def members_named(term: str) -> list[int]:
    """Return the members that a term leads to, by indexed exact look-ups only."""
    text = term.strip()
    if _GROUPED_DIGITS.fullmatch(text):
        text = re.sub("[ -]", "", text)
    return queries.search_ids(text)
