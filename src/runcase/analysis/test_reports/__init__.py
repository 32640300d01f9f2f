"""What test tools say of themselves on the console: totals, and the names of what failed; one file a family."""
