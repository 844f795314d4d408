"""Scheduled work, followers, monitors."""
