"""Compiled kernels: arrays in, arrays out, one file a circuit.

Nothing here checks its arguments: the circuits of :mod:`adaptnet.circuits` do that before.
"""
