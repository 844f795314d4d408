"""What the console's pages show of rewards and redemptions."""

from collections.abc import Mapping
from typing import Any, Final

from config.base.panels import Visit
from rewards.admin.catalogue import STATUS_COLOURS
from rewards.models import Redemption

LATEST: Final = 10
MOST_SUPPLIES: Final = 10


def redemptions(visit: Visit) -> Mapping[str, Any]:
    """Return the member's newest redemptions and gifts."""
    rows = Redemption.objects.filter(member=visit.subject).select_related("reward")
    newest = rows.order_by("-requested_at", "-id")[:LATEST]
    return {"redemptions": [(row, STATUS_COLOURS[row.status]) for row in newest]}
