"""Results as a table of pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from adaptnet.readaptation.measures import takes_results

if TYPE_CHECKING:
    import pandas as pd


@takes_results
def to_dataframe(results: xr.Dataset) -> pd.DataFrame:
    """Return results as a DataFrame in which codes are words.

    Parameters
    ----------
    results : Dataset
        What a measure or a comparison returned.

    Returns
    -------
    DataFrame
        A row per circuit, replicate and change (or per comparison and group), a column per
        variable and coordinate; ``outcome`` holds the outcomes' labels.

    Examples
    --------
    >>> import adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([4 * np.eye(2), np.eye(2)], block_length=50)
    >>> circuit = an.InterneuronCircuit(initial_weights=2.0, learning_rate=0.01)
    >>> times = an.readaptation_times(an.flow(circuit, environment, 100))
    >>> to_dataframe(times)["outcome"].tolist()
    ['not_reached_before_the_segment_ended']
    """
    worded = results.copy()
    for name, variable in results.data_vars.items():
        if "flag_meanings" in variable.attrs:
            codes = np.asarray(variable.attrs["flag_values"]).tolist()
            words = dict(zip(codes, variable.attrs["flag_meanings"].split(), strict=True))
            labels = [words.get(code, "") for code in variable.values.ravel().tolist()]
            worded[name] = variable.dims, np.reshape(labels, variable.shape)
    return worded.to_dataframe()
