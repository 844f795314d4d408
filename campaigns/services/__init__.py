"""Writing: goals, unit costs, measured figures, reports and their mails."""
