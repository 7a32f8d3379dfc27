"""What the kernels are made of: vectors of four, packed matrices, factorisations."""

from adaptnet.kernels.building_blocks import lanes

__all__ = ["lanes"]
