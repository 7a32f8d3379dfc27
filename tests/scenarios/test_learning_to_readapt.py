"""Slow synapses learn what contexts share: the curves, and the probes with synapses frozen."""

import numpy as np

from scenarios import find


def test_readaptation_gets_faster_where_contexts_share_an_eigenbasis():
    scenario = find("learning-to-readapt")(n_contexts=400)
    table = scenario.run(n_replicates=1, rng=0, progress=False)
    probes = table["probe_time"].isel(replicate=0)
    # Before they have learned, all circuits are the same, and two conditions are.
    before = probes.sel(probe="before")
    assert before.sel(condition="shared") == before.sel(condition="frozen")
    after = probes.sel(probe="after")
    assert after.sel(condition="frozen") == before.sel(condition="frozen")
    assert after.sel(condition="shared") < before.sel(condition="shared") / 5
    assert after.sel(condition="shared") < after.sel(condition="control") / 2
    # The last contexts are met as fast as by frozen synapses: within one, synapses hardly move.
    last = table["readaptation_time"].isel(replicate=0, contexts_seen=-1).sel(condition="shared")
    np.testing.assert_allclose(last, after.sel(condition="shared"), rtol=0.3)
    assert "probes before" in scenario.report(table)
