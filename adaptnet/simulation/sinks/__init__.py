"""Where the records of a run go: into memory, or to disk."""
