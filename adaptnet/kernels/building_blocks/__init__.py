"""What the kernels are made of: vectors of four, packed matrices, factorisations."""
