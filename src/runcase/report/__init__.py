"""Floor 5: everything known about one run as one typed value, and its faces."""
