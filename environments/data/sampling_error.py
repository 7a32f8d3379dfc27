"""What the sampling error of an empirical covariance does to a whitening error."""

import numpy as np


def expected_whitening_error(n_neurons: int, samples: float) -> float:
    """Return the mean whitening error of an empirical covariance of white inputs.

    The mean of the largest eigenvalue by the Tracy-Widom law (Johnstone 2001, Ann. Stat. 29,
    295-327), less 1; for few channels the error of each one alone, which is then the larger.
    """
    roots = np.sqrt(max(samples - 1, 1.0)), np.sqrt(n_neurons)
    largest = sum(roots) ** 2 / samples
    spread = sum(roots) * (1 / roots[0] + 1 / roots[1]) ** (1 / 3) / samples
    alone = 2 / np.sqrt(np.pi * samples)  # the mean of |chi^2 / samples - 1|
    return float(max(largest - 1.2065 * spread - 1, alone))
