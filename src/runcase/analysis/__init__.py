"""Floor 4 (pure): conclusions as functions of facts and rule packs."""
