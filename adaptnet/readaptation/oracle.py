"""The oracle: a circuit that knows the covariance in force."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from adaptnet.files.parameters import circuit_parameters
from adaptnet.files.schema import NEEDS_TRUTH
from adaptnet.metrics import square_root
from adaptnet.readaptation.measures import takes_run


@takes_run
def with_oracle(dataset: xr.Dataset, name: str = "oracle") -> xr.Dataset:
    """Return a run with one more circuit, which knows the covariance in force at each sample.

    Its effective weights are C^(1/2), its outputs white and its errors 0, at a change too: the
    bound that no circuit can beat. It has nothing to learn from samples, so it is added to a run
    instead of taking part in it.

    Parameters
    ----------
    dataset : Dataset
        A run of an environment whose truth is known.
    name : str
        What to call it.

    Returns
    -------
    Dataset
        The run with the circuit `name` in addition; all else as it was.

    Raises
    ------
    ValueError
        If the truth is not known, the name is taken, or effective weights are recorded but not the
        covariance they would follow from.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([4 * np.eye(2), np.eye(2)], block_length=200)
    >>> circuit = an.InterneuronCircuit(initial_weights=2.0, learning_rate=0.01)
    >>> run = an.flow(circuit, environment, 400)
    >>> with_oracle(run)["whitening_error"].sel(circuit="oracle").max().item()
    0.0
    """
    if dataset.attrs["truth"] == "absent":
        raise ValueError(
            "an oracle needs the true covariance, but the run's inputs came without; "
            "simulate in an environment that knows its truth"
        )
    if name in dataset["circuit"].values:
        raise ValueError(f"name must not be that of a circuit of the run, got {name!r}")
    oracle = dataset.isel(circuit=[0]).assign_coords(
        circuit=("circuit", [name], dataset["circuit"].attrs)
    )
    for key, variable in oracle.data_vars.items():
        if "circuit" in variable.dims:
            fill = -1 if key == "diverged_sample" else 0
            oracle[key] = variable.copy(data=np.full_like(variable.values, fill))
    if "effective_weights" in oracle:
        if "covariance" not in dataset:
            raise ValueError(
                "the oracle's effective weights follow from the covariance, which the run has not "
                f"recorded; name it in simulate(record=...) beside {', '.join(NEEDS_TRUTH[:2])}"
            )
        weights = oracle["effective_weights"]
        roots = dataset["covariance"].copy(data=square_root(dataset["covariance"].values))
        oracle["effective_weights"] = weights.copy(
            data=roots.broadcast_like(weights).transpose(*weights.dims).values
        )
    joined = xr.concat(
        [dataset, oracle],
        dim="circuit",
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="override",
        combine_attrs="override",
    )
    circuits = {**circuit_parameters(dataset), name: {"type": "oracle"}}
    return joined.assign_attrs(circuits=json.dumps(circuits))
