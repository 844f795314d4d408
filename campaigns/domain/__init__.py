"""Deciding about goals, periods and month ends: pure, without database and clock."""
