"""The database engine of an installation that brings its own PostgreSQL."""
