"""Segments: who is in them, since when and why."""
