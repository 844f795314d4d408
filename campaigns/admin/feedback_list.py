"""The feedback forms of a campaign, on the campaign's own page."""

from typing import Any, Final

from django.http import HttpRequest

from campaigns import feedback_words
from campaigns.models import Campaign, FeedbackForm

VIEW: Final = "campaigns.view_feedbackform"
EDIT: Final = "campaigns.change_feedbackform"


def of_campaign(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    """Return what the campaign's page says of its forms; nothing to whoever may not see them."""
    if not request.user.has_perm(VIEW):
        return {"may_see_feedback": False}
    return {
        "may_see_feedback": True,
        "may_ask": request.user.has_perm(EDIT),
        "feedback": [
            (row, feedback_words.title(row), feedback_words.COLOURS[row.state])
            for row in FeedbackForm.objects.filter(campaign=campaign)
        ],
    }
