"""Direct connections: Algorithm 1 of [L23], Lipshutz, Pehlevan & Chklovskii, ICLR 2023.

For each sample x the activity goes to its fixed point, M y = x, then M <- M + eta (y y' - I).
"""

from adaptnet.kernels.direct import inverse, lanes, plain

__all__ = ["inverse", "lanes", "plain"]
