"""Runs as files: their schema, provenance, and how they are written whole."""
