"""What the audit proves of standings, overrides and progress.

Source: design §4 (Standing), §5.4; ORG-06.
"""

from pathlib import Path
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base import audit

FOLDER: Final = Path(__file__).resolve().parent.parent / "sql" / "audit"

TEXTS: Final[dict[str, Promise]] = {
    "entitlement_counted": _("What is held and used of a quota is what the uses add up to."),
    "entitlement_of_tier_held": _("Benefits of a tier end with the tier."),
    "entitlement_single": _("A tier gives a benefit once."),
    "membership_override": _("A paid membership gives its tier for its time."),
    "merged_progress": _("A survivor has the progress of who was merged into it."),
    "override_single": _("No two tier overrides of a member run at the same time."),
    "progress_fact": _("Progress belongs to the member whose fact added it."),
    "standing_contiguous": _("Each tier begins where the one before ended."),
    "standing_first": _("Every member begins at the lowest tier, no later than enrolment."),
    "standing_kept": _("Every tier but the lowest is kept until a day."),
    "standing_open": _("Every member holds exactly one tier now."),
}


def checks() -> list[audit.Check]:
    """Return the checks of this app."""
    return audit.load(FOLDER, TEXTS, {})
