"""The marketing app's part of the console."""

from campaigns.admin import models, payouts, referrals

__all__ = ["models", "payouts", "referrals"]
