"""Producers, one file each: how a source of known structure becomes records, spans and claims."""
