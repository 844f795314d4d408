"""Orders that were paid with points which nobody has set aside.

Source: design §5.1 (1), §6 (reservations).
"""

from typing import Final

from rewards.domain.receipt import order_version, reservation_of
from rewards.services.happened import Happened

UNRESERVED: Final = "tender_without_reservation"


def follow_tenders(happened: Happened) -> None:
    """Tell of orders that say they were paid with points, without the reservation that holds them.

    No points are taken: which lots and how many is the reservation's to say. The till was paid, so
    somebody has to look. No statement where there is none; the past is as it is.
    """
    if happened.is_history:
        return
    for news in happened.orders:
        # Only the version that brought the tender is told of, not what comes after it.
        if not news.counts or news.version.id != news.fact or news.version.member != news.member:
            continue
        if reservation_of(news.version) is None and order_version(news.version).points_paid:
            happened.open_case(news.member, news.fact, {"code": UNRESERVED})
