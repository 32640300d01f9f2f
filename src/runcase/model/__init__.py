"""Floor 1: every column declared once, value objects, and defects as values."""
