"""Campaigns, triggers, messages, surveys, activities and goals."""
