"""Commands that concern more than one app."""
