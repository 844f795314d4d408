"""Files that staff bring in and take out through the console."""
