"""Who gets in, and that what staff do is written down."""
