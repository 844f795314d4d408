"""What feedback adds elsewhere: pages of the console, and copies of a person's own data."""

from campaigns.admin import feedback
from campaigns.services import feedback_answers
from config.base.admin.reauth import fresh_login_required
from config.base.panels import Page, register
from rewards.services import own_data


def install() -> None:
    """Register them; doing it again changes nothing."""
    own_data.add_parts({"feedback": feedback_answers.own_data})
    register(
        Page("campaigns/<int:campaign_id>/feedback/new/", "feedback_new", feedback.new_page),
        Page("campaigns/feedback/<int:form_id>/", "feedback_form", feedback.form_page),
        Page("campaigns/feedback/<int:form_id>/edit/", "feedback_edit", feedback.edit_page),
        Page(
            "campaigns/feedback/<int:form_id>/do/<slug:verb>/", "feedback_verb",
            feedback.verb_page,
        ),
        Page(
            "campaigns/feedback/<int:form_id>/file/", "feedback_file",
            fresh_login_required(feedback.answers_file),
        ),
    )  # fmt: skip
