"""Endpoints for tiers."""
