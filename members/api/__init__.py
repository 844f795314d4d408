"""Endpoints for members, and what every endpoint of a touchpoint stands on."""
