"""Result codes of the kernels; :mod:`adaptnet.circuits.base` turns them into sentences."""

OK = 0
WEIGHTS_NOT_POSITIVE_DEFINITE = 1
WEIGHTS_NOT_FINITE = 2
ACTIVITY_NOT_FINITE = 3
SAMPLES_DO_NOT_SPAN = 4
GOES_ON_ALONE = -1  # no failure: a replicate has left those that went beside it
