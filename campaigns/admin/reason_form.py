"""The form that asks why."""

from typing import Final

from django import forms
from django.utils.translation import gettext_lazy as _

REASON_LENGTH: Final = 200


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(
        label=_("Reason"), max_length=REASON_LENGTH, widget=forms.Textarea(attrs={"rows": 3})
    )
