"""Secrets leave the bytes before anything is written."""
