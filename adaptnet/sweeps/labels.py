"""The Dataset of a sweep: what was kept, the points, and where it comes from."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from adaptnet.files.provenance import provenance
from adaptnet.files.schema import CONVENTIONS, SCHEMA, SWEEP
from adaptnet.sweeps import gather
from adaptnet.sweeps.collection import Collection


def labelled(parts: Collection, added: Mapping[str, Any]) -> xr.Dataset:
    """Return all that there is of a sweep as one Dataset; `added` are further attributes."""
    planned = parts.sweep
    points = planned.points
    dataset = gather.gathered(points, parts.of, planned.n_replicates)
    keys = np.array(parts.keys, dtype=np.str_).reshape(points.shape)
    dataset["point_key"] = xr.Variable(
        points.dims, keys, {"long_name": "checksum of what determines the point"}
    )
    meanings = planned.source.meanings()
    coordinates = {
        name: xr.Variable(
            (name,) if points.is_product else points.dims,
            values := gather.coordinate(axis),
            {
                "long_name": meanings.get(name, name.replace("_", " ").replace(".", ": ")),
                **({} if values.dtype.kind == "U" else {"units": "1"}),
            },
        )
        for name, axis in zip(points.names, points.axes, strict=True)
    }
    if not points.is_product:
        numbers = np.arange(len(points))
        coordinates["point"] = xr.Variable(
            ("point",), numbers, {"long_name": "point", "units": "1"}
        )
    measured = {
        name: value
        for name, value in dataset.attrs.items()
        if name not in ("date_created", "history", "kind")
    }
    dataset = dataset.assign_coords(coordinates)
    description = {
        "what": planned.source.name,
        "fixed": dict(planned.source.fixed),
        "keep": planned.keep.name,
        "independent": planned.independent,
        "is_product": points.is_product,
        "swept": list(points.names),
        "kept": measured,
    }
    dataset.attrs = {
        **measured,
        "Conventions": CONVENTIONS,
        "adaptnet_schema": SCHEMA,
        "kind": SWEEP,
        "title": f"Sweep of {planned.source.name} over {', '.join(points.names)}",
        "sweep": json.dumps(description),
        "n_replicates": planned.n_replicates,
        **provenance(planned.seed),
        **added,
    }
    return dataset
