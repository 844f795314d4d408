"""The marketing app's part of the console."""

from campaigns.admin import messages, models, trigger_models

__all__ = ["messages", "models", "trigger_models"]
