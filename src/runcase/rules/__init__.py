"""Floor 2: YAML rule packs to typed rules, and rules to matchers."""
