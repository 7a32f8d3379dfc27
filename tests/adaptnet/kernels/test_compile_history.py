"""Results do not depend on what a process compiled, and what it found compiled.

Run as a script, this prints a checksum of what each kernel makes: ``python test_compile_history.py
[load]``, with ``load`` after loading everything that the cache holds.
"""

import hashlib
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import warnings

import numpy as np
import pytest

import adaptnet as an
import adaptnet.kernels
from environments import SwitchingEnvironment

FAST = an.IntegratedDynamics(step_size=0.05, max_steps=40)


def circuits(n):
    """Return circuits that together call every kernel."""
    kinds = {"direct": an.DirectCircuit, "interneuron": an.InterneuronCircuit}
    dynamics = {"equilibrium": "equilibrium", "cholesky": "cholesky", "integrated": FAST}
    return {
        f"{name} {how}": kind(dynamics=result)
        for name, kind in kinds.items()
        for how, result in dynamics.items()
    } | {"batch": an.BatchEstimator(window=4 * n)}


def checksums():
    warnings.simplefilter("ignore")
    found = {}
    for n in (
        2,
        5,
        10,
        17,
    ):  # whether weights are factorised or their inverse is carried; whitening
        covariances = [np.diag(np.linspace(1.0, 2.0, n)), np.eye(n) + 0.3]
        run = an.simulate(
            circuits(n),
            SwitchingEnvironment(covariances, block_length=700),
            1_500,
            rng=1,
            record_every=7,
            record=("whitening_error", "frobenius_error", "effective_weights"),
            progress=False,
        )
        for circuit in run["circuit"].values:
            for name in ("whitening_error", "frobenius_error", "effective_weights"):
                data = run[name].sel(circuit=circuit).values.tobytes()
                found[f"{name}, {circuit}, n={n}"] = hashlib.sha256(data).hexdigest()
    return found


def load_all():
    """Load every kernel, and every function that kernels call, from the cache."""
    for module in pkgutil.walk_packages(adaptnet.kernels.__path__, "adaptnet.kernels."):
        for function in vars(importlib.import_module(module.name)).values():
            if hasattr(getattr(function, "_cache", None), "_cache_file"):
                for signature in list(function._cache._cache_file.signatures()):
                    function.compile(signature)


def in_a_process(cache, *arguments):
    command = [sys.executable, __file__, *arguments]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    ended = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.loads(ended.stdout)


@pytest.mark.slow
def test_compiled_and_loaded_kernels_agree_to_the_last_bit(tmp_path):
    """A function that is not inlined exists once by itself and once in each kernel that calls it.

    Which of them a process uses depends on what it loaded before: on its history.
    """
    compiled = in_a_process(tmp_path)
    differing = {
        how: [name for name, checksum in again.items() if checksum != compiled[name]]
        for how, again in (
            ("loaded", in_a_process(tmp_path)),
            ("all loaded first", in_a_process(tmp_path, "load")),
        )
    }
    assert differing == {"loaded": [], "all loaded first": []}


if __name__ == "__main__":
    if "load" in sys.argv:
        load_all()
    json.dump(checksums(), sys.stdout)
