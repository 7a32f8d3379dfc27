"""Circuits that learn from batches: every B samples, by the mean of the B updates.

All outputs of a batch use the weights before it. The state carries what the samples of a batch have
added up to, so that a batch may begin in one block and end in another.
"""

from adaptnet.kernels.minibatch import direct, interneurons

__all__ = ["direct", "interneurons"]
