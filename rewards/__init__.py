"""Points, rules and what points buy: intake, ledger, catalogue, coupons."""
