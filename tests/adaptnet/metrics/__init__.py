"""Errors and distances."""
