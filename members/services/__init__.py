"""The only place where rows of members are written."""
