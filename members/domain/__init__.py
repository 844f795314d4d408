"""Deciding about members, pure: no database, no clock."""
