"""Compiled kernels: arrays in, arrays out, one module a circuit.

A circuit with several ways to the same result has a package, a file each.

Nothing here checks its arguments: the circuits of :mod:`adaptnet.circuits` do that before.
"""
