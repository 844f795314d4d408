"""The marketing app's part of the console."""

from campaigns.admin import messages, models

__all__ = ["messages", "models"]
