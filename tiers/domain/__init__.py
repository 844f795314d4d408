"""Pure rules of tiers: ladder, windows, progress, qualification and advice."""
