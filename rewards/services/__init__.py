"""Write the points ledger and what leads to it."""
