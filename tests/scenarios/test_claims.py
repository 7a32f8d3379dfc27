"""What README says of its picture is what the default run shows."""

import pytest

import scenarios
from adaptnet.readaptation import readaptation_times, summary


@pytest.mark.slow
def test_who_readapts_first_in_the_switching_scenario():
    scenario = scenarios.find("switching")()
    run = scenario.run(n_replicates=10, rng=1)
    times = summary(readaptation_times(run, scenario.threshold))
    assert (times["censored"] == 0).all()
    direct, interneuron = (times["median"].sel(circuit=c) for c in ("direct", "interneuron"))
    assert (direct > interneuron).values.tolist() == [True, False, True]
    before_the_rise = run["whitening_error"].sel(sample=slice(340_000, 359_999)).mean()
    floor = run["whitening_error"].sel(sample=slice(350_000, 359_999)).mean(("sample", "replicate"))
    assert floor.sel(circuit="direct") > before_the_rise > floor.sel(circuit="interneuron")
