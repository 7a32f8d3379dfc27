"""The scenarios: one file each, found by its name."""
