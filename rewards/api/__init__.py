"""Endpoints for facts, points and explanations."""
