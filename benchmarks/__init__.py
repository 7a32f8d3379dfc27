"""How fast the package is, as ratios to its peers, measured in one sitting.

`python -m benchmarks` runs the same work through this package and through what a user might have
written instead. See docs/benchmarks.md.
"""
