"""Interneurons: Algorithm 2 of [L23], Lipshutz, Pehlevan & Chklovskii, ICLR 2023.

For each sample x the activities go to their fixed point, z = W' y and W W' y = x, then
W <- W + eta (y z' - W).
"""

from adaptnet.kernels.interneuron import inverse, lanes, plain

__all__ = ["inverse", "lanes", "plain"]
