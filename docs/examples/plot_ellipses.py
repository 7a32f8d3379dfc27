"""
Watch outputs become white
==========================

``animate_ellipses`` writes an animation of the samples around a change, as two neurons see them.
The ellipses are one standard deviation of the inputs and of each circuit's outputs; white outputs
are on the circle. Here are the first frame, one of the middle and the last.
"""

import tempfile
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from PIL import Image, ImageSequence

import adaptnet as an
from adaptnet import plotting
from environments import SwitchingEnvironment

correlated = np.array([[2.0, 1.6], [1.6, 2.0]])
environment = SwitchingEnvironment([np.eye(2), correlated], block_length=4_000)
circuits = {
    "direct": an.DirectCircuit(learning_rate=1e-3),
    "interneuron": an.InterneuronCircuit(learning_rate=1e-3),
}
run = an.simulate(
    circuits,
    environment,
    8_000,
    rng=0,
    record_every=40,
    record=["whitening_error", "effective_weights", "covariance"],
    progress=False,
)
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "ellipses.gif"
    plotting.animate_ellipses(run, path, n_frames=30)
    with Image.open(path) as animation:
        frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(animation)]

figure, axes = plt.subplots(3, figsize=(6.5, 8), layout="constrained")
for ax, frame in zip(axes, (frames[0], frames[len(frames) // 2], frames[-1]), strict=True):
    ax.imshow(frame)
    ax.axis("off")
