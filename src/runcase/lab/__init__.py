"""The rule laboratory: check, test, explain, measure, suggest and import rule packs."""
