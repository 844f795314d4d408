"""The marketing app's part of the console."""

from campaigns.admin import models

__all__ = ["models"]
