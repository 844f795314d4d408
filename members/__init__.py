"""Who the members are and what has been received about them."""
