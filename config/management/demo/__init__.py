"""What the demo is made of: people, staff, goods and totals. All of it is invented."""
