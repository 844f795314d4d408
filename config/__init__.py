"""The site itself: what every app stands on (base) and what ties them together (wiring)."""
