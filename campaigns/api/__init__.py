"""The marketing app's part of the API."""
