"""What tests of hostile input share: values of any kind, mutations, commands that must answer."""

import contextlib
import os
import resource
import signal
import warnings

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import adaptnet as an
from environments import SwitchingEnvironment
from scenarios.cli import main

NUMBERS = st.one_of(
    st.integers(-3, 6),
    st.sampled_from([10**9, 10**18, 2**63, 10**40, 10**400, -(10**30)]),
    st.floats(),
    st.sampled_from([1e-320, 1e308, 0.0, -0.0]),
)
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["", "inf", "nan", "1e400", "true", "../../etc/passwd", "/dev/zero", "\0", "grass"]
    ),
)
VALUES = st.recursive(
    st.one_of(NUMBERS, TEXTS, st.booleans(), st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=6,
)


def check(strategy, n, function):
    """Run `function` on `n` draws of `strategy`."""
    quick = settings(
        max_examples=n,
        deadline=None,
        database=None,
        derandomize=True,  # a run of the suite tells of the change at hand, not of luck
        suppress_health_check=list(HealthCheck),
    )
    quick(given(strategy)(function))()


def many(few, full):
    """Draw a few in every run of the suite, many in a slow one, and as many as asked for."""
    full = int(os.environ.get("ADAPTNET_MUTATIONS", full))
    return pytest.mark.parametrize("n", [few, pytest.param(full, marks=pytest.mark.slow)])


# Of the processor: no answer may take 10, and kernels that are not compiled yet take up to 15.
LONGEST = 25.0
MOST_MEMORY = 2**30  # bytes, beyond what the process has taken before


@contextlib.contextmanager
def bounded():
    """Fail if what is done within takes too long, or more memory than a small file may ask for."""
    late = []

    def end(number, frame):
        late.append(LONGEST)
        raise RuntimeError("this has taken too long")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    handler = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, handler)
    assert not late, f"there is no answer after {LONGEST:g} seconds of the processor"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * 1024 < MOST_MEMORY, f"an answer took {grown / 2**20:.1f} GiB more than before"


def answered(*arguments, codes=(0, 1, 2, 3, 4)):
    """Return the result of a command that must not end in a traceback, nor take for ever."""
    with warnings.catch_warnings(), bounded():
        warnings.simplefilter("ignore")
        result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), (
        arguments,
        result.exc_info,
    )
    assert result.exit_code in codes, result.output
    return result


def simulate(path=None, **options):
    matrices = [np.diag([1.0, 2.0]), np.eye(2)]
    return an.simulate(
        {"a": an.DirectCircuit(), "b": an.InterneuronCircuit()},
        SwitchingEnvironment(matrices, block_length=60),
        200,
        n_replicates=2,
        rng=1,
        path=path,
        n_threads=1,
        **options,
    )


MUTATIONS = st.tuples(
    st.sampled_from(["flip", "zero", "cut", "insert", "duplicate", "swap", "end"]),
    st.floats(0, 1, exclude_max=True),
    st.integers(1, 255),
)


def mutated(content, mutation):
    kind, where, byte = mutation
    at = int(where * len(content))
    changed = bytearray(content)
    if kind == "flip":
        changed[at] ^= byte
    elif kind == "zero":
        changed[at : at + byte] = bytes(len(changed[at : at + byte]))
    elif kind == "cut":
        del changed[at:]
    elif kind == "insert":
        changed[at:at] = bytes([byte])
    elif kind == "swap":  # the halves of a block
        block = changed[at : at + 2 * byte]
        changed[at : at + 2 * byte] = block[byte:] + block[:byte]
    elif kind == "duplicate":
        changed[at:at] = changed[at : at + byte]
    else:
        changed += bytes([byte])
    return bytes(changed)
