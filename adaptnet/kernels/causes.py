"""Why weights were lost: a learning rate too high, or inputs that are silent."""

import numpy as np

from adaptnet.kernels.records import Floats
from adaptnet.kernels.status import Status

_SHRUNK = (Status.WEIGHTS_NOT_POSITIVE_DEFINITE, Status.WEIGHTS_SINGULAR)


def explained(status: Status, weights: Floats, x: Floats) -> Status:
    """Return a status that names silent inputs, if the weights (n, n) were lost for want of them.

    Without inputs, weights shrink by the learning rate per sample until there is nothing left of
    them. Only the input x (n,) at which they were lost is looked at, and the direction in which
    they are smallest: neither depends on how samples were divided into blocks.
    """
    if status not in _SHRUNK or not np.isfinite(weights).all():
        return status
    if not x.any():
        return Status.INPUTS_SILENT
    with np.errstate(all="ignore"):
        smallest = np.linalg.eigh(weights)[1][:, 0]
    neuron = np.abs(smallest).argmax()
    alone = smallest[neuron] ** 2 > 0.5
    return Status.CHANNEL_SILENT if alone and x[neuron] == 0.0 else status
