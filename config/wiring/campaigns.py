"""The pages of campaigns, who agrees to them, and what they add to other pages."""

from django.utils.translation import gettext_lazy as _

from campaigns.services import campaign_drafts, launching
from members.services import approvals
from members.services.approvals import Kind


def install() -> None:
    """Register the pages, and who carries out which request."""
    approvals.register(
        campaign_drafts.PUBLISH,
        Kind(
            _("Let a campaign run"), launching.publish, lambda _approval: "",
            permission=campaign_drafts.PUBLISH_PERMISSION, drop=launching.drop,
        ),
    )  # fmt: skip
