"""Write standings and the ladder."""
