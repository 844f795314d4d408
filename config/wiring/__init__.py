"""What ties the apps together. May import everything; nothing imports it."""
