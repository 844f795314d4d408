"""How staff made sure that they speak with the member.

Source: SVC-01, STF-06.
"""

from typing import Final

CHECKS: Final = (
    "called_back",
    "code_sent",
    "card_at_hand",
    "document_seen",
    "order_details",
    "known_in_person",
    "not_in_contact",
)
"""`not_in_contact`: the member is not there, staff put something right by themselves."""
