"""Second moments of outputs whose weights fade from sample to sample."""

from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.records import Bools, Floats


@kernel
def accumulate(
    total: Floats, weight: Floats, outputs: Floats, kept: float, wanted: Bools, moments: Floats
) -> None:
    """Follow total <- kept total + y y' and weight <- kept weight + 1 over outputs (sample, n).

    After wanted samples total / weight, the weighted mean of y y', is written to `moments`.
    """
    n, n_moments = outputs.shape[1], 0
    for t in range(outputs.shape[0]):
        y = outputs[t]
        weight[0] = kept * weight[0] + 1.0
        for i in range(n):
            for j in range(n):
                total[i, j] = kept * total[i, j] + y[i] * y[j]
        if wanted[t]:
            for i in range(n):
                for j in range(n):
                    moments[n_moments, i, j] = total[i, j] / weight[0]
            n_moments += 1
