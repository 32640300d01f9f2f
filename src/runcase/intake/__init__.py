"""Floor 2: bytes of archives, folders and files to records, with provenance."""
