"""Reading pictures and recordings, and the moments of what was read."""
