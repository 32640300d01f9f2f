"""The lines that decide: cause before fallout, for logs that no pack knows."""
