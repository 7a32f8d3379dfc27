"""Whitening that is learned sample by sample, with the interface of scikit-learn."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from adaptnet._checks import Floats, positive_number, whole_number
from adaptnet.circuits.base import Circuit, State, copied
from adaptnet.circuits.interneuron import InterneuronCircuit
from adaptnet.circuits.plastic import PlasticCircuit
from adaptnet.errors import DivergenceWarning
from adaptnet.estimators.centring import means_after
from adaptnet.simulation.threads import single_threaded_blas

_BLOCK_BYTES = 2**24  # of effective weights at a time while outputs are wanted from samples learned
_BLOCK_SAMPLES = 4096


class OnlineWhitener(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Whitening by a recurrent circuit that learns from each sample once.

    After centring by a running mean and division by one scale for all features, each sample x is
    mapped to y = A^-1 x, A being the circuit's effective weights, which then change. For stationary
    data A^-1 converges, up to the noise of learning, to the symmetric (ZCA) whitening matrix; when
    the statistics change, :meth:`partial_fit` follows. See the documentation of the circuits for
    how fast and how exactly [1]_.

    Parameters
    ----------
    circuit : Circuit, optional
        The circuit that learns; by default one with as many interneurons as there are features. Its
        weights refer to data that are centred and scaled.
    learning_rate : float, optional
        Replaces the circuit's own.
    n_passes : int, default=1
        How many times :meth:`fit` goes through the data.
    centre : bool, default=True
        Whether the running mean is subtracted.
    forgetting : float, default=0.0
        Least weight of a new sample in the running mean: 0 for the mean of all samples so far.
    scale : float, optional
        What data are divided by; by default the root mean square of the centred data that
        :meth:`fit`, or the first :meth:`partial_fit`, is given.
    adapting : bool, default=False
        Whether :meth:`transform` learns from what it is given, and returns the outputs that each
        sample had while it did. Otherwise the weights are frozen while data are transformed.

    Attributes
    ----------
    effective_weights_ : array (n_features, n_features)
        A, for data that are centred and scaled.
    whitening_ : array (n_features, n_features)
        Matrix by which centred data are whitened, A^-1 / scale.
    mean_ : array (n_features,)
    scale_ : float
    n_samples_seen_ : int
        Samples learned from, those of all passes counted.
    diverged_ : bool
        Whether the weights diverged. The last valid ones are kept, and nothing is learned any more.
    circuit_ : Circuit
        The circuit with the parameters that were used.
    n_features_in_, feature_names_in_
        As in all of scikit-learn.

    Warns
    -----
    DivergenceWarning
        If the weights diverge.

    References
    ----------
    .. [1] D. Lipshutz, C. Pehlevan, D. B. Chklovskii, "Interneurons accelerate learning dynamics in
       recurrent neural networks for statistical adaptation", ICLR 2023.

    Examples
    --------
    >>> import adaptnet as an
    >>> from adaptnet.estimators import OnlineWhitener
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(20_000, 2)) @ np.array([[2.0, 0.0], [1.0, 1.0]]) + 5.0
    >>> whitener = OnlineWhitener(an.DirectCircuit(learning_rate=1e-3)).fit(X)
    >>> bool(abs(np.cov(whitener.transform(X).T) - np.eye(2)).max() < 0.1)
    True
    >>> np.allclose(whitener.inverse_transform(whitener.transform(X)), X)
    True
    """

    effective_weights_: Floats
    whitening_: Floats
    mean_: Floats
    scale_: float
    n_samples_seen_: int
    diverged_: bool
    circuit_: Circuit
    _state: State

    def __init__(
        self,
        circuit: Circuit | None = None,
        *,
        learning_rate: float | None = None,
        n_passes: int = 1,
        centre: bool = True,
        forgetting: float = 0.0,
        scale: float | None = None,
        adapting: bool = False,
    ) -> None:
        self.circuit = circuit
        self.learning_rate = learning_rate
        self.n_passes = n_passes
        self.centre = centre
        self.forgetting = forgetting
        self.scale = scale
        self.adapting = adapting

    def fit(self, X: npt.ArrayLike, y: object = None) -> Self:
        """Learn from the samples in order, `n_passes` times, from initial weights on.

        Parameters
        ----------
        X : array (n_samples, n_features)
        y : None
            Not used.

        Raises
        ------
        TypeError, ValueError
            If a parameter is of the wrong type or out of range, or data are not finite.
        """
        data = validate_data(self, X, dtype=np.float64, order="C")
        n_passes = whole_number("n_passes", self.n_passes)
        self._begin(data)
        for _ in range(n_passes):
            self._learn(data)
        return self

    def partial_fit(self, X: npt.ArrayLike, y: object = None) -> Self:
        """Learn from further samples, in order, once.

        Parameters
        ----------
        X : array (n_samples, n_features)
        y : None
            Not used.

        Raises
        ------
        TypeError, ValueError
            As :meth:`fit` does.
        """
        is_first = not hasattr(self, "n_samples_seen_")
        data = validate_data(self, X, reset=is_first, dtype=np.float64, order="C")
        if is_first:
            self._begin(data)
        self._learn(data)
        return self

    def transform(self, X: npt.ArrayLike) -> Floats:
        """Return whitened data; with `adapting`, learn from them as well.

        Parameters
        ----------
        X : array (n_samples, n_features)

        Returns
        -------
        array (n_samples, n_features)
        """
        check_is_fitted(self)
        data = validate_data(self, X, reset=False, dtype=np.float64, order="C")
        if self.adapting:
            return self._learn(data, keep_outputs=True)
        return self._outputs((data - self.mean_) / self.scale_)

    def inverse_transform(self, X: npt.ArrayLike) -> Floats:
        """Return the data that the present weights whiten to X.

        Parameters
        ----------
        X : array (n_samples, n_features)

        Returns
        -------
        array (n_samples, n_features)
        """
        check_is_fitted(self)
        data = validate_data(self, X, reset=False, dtype=np.float64)
        original: Floats = data @ np.linalg.inv(self.whitening_).T + self.mean_
        return original

    def _begin(self, data: Floats) -> None:
        """Set all that is learned to its initial values."""
        circuit = InterneuronCircuit() if self.circuit is None else self.circuit
        if not isinstance(circuit, Circuit):
            raise TypeError(f"circuit must be a circuit of adaptnet or None, got {circuit!r}")
        if self.learning_rate is not None:
            rate = positive_number("learning_rate", self.learning_rate)
            if not isinstance(circuit, PlasticCircuit):
                raise TypeError(f"learning_rate needs a circuit that learns, got {circuit!r}")
            circuit = dataclasses.replace(circuit, learning_rate=rate)
        if circuit.follows_path:
            raise ValueError(
                "circuit must have a learning rate that does not depend on contexts, of which an "
                "estimator knows nothing"
            )
        for name in ("centre", "adapting"):
            if not isinstance(getattr(self, name), bool | np.bool_):
                raise TypeError(f"{name} must be True or False, got {getattr(self, name)!r:.100}")
        positive_number("forgetting", self.forgetting, zero=True, below=1.0)
        centred = data - data.mean(axis=0) if self.centre else data
        size = float(np.sqrt(np.mean(centred**2)))
        if self.scale is not None:
            size = positive_number("scale", self.scale)
        self.circuit_ = circuit
        self.scale_ = size if size > 0 else 1.0  # constant data, or a single sample
        self.mean_ = np.zeros(data.shape[1])
        self.n_samples_seen_ = 0
        self.diverged_ = False
        self._state = circuit.initial_state(data.shape[1])
        self._keep_weights()

    @single_threaded_blas()
    def _learn(self, data: Floats, *, keep_outputs: bool = False) -> Floats:
        """Learn from samples in order; return their outputs, if these are wanted."""
        outputs = np.empty_like(data) if keep_outputs else np.empty((0, data.shape[1]))
        n = data.shape[1]
        size = _BLOCK_SAMPLES
        if keep_outputs:
            size = max(1, min(size, _BLOCK_BYTES // (8 * n * n)))
        for start in range(0, len(data), size):
            block = self._centred(data[start : start + size])
            if keep_outputs:
                outputs[start : start + size] = self._advance(block, keep_outputs=True)
            else:
                self._advance(block)
            self.n_samples_seen_ += len(block)
        self._keep_weights()
        return outputs

    def _centred(self, block: Floats) -> Floats:
        """Return samples minus the running mean, which they move, by the scale."""
        if not self.centre:
            return block / self.scale_
        means = means_after(block, self.mean_, self.n_samples_seen_, float(self.forgetting))
        self.mean_ = means[-1].copy()
        return np.ascontiguousarray((block - means) / self.scale_)

    def _advance(self, block: Floats, *, keep_outputs: bool = False) -> Floats:
        """Let the circuit learn from a block; return outputs if they are wanted."""
        n_samples, n = block.shape
        if self.diverged_:
            return self._outputs(block)
        circuit, before = self.circuit_, copied(self._state)
        recorded = np.full(n_samples, keep_outputs)
        records = self._buffers(int(recorded.sum()), n)
        (outcome,) = circuit.advance(
            [self._state], block[None], self.n_samples_seen_, recorded, records
        )
        if outcome.status:
            self._diverge(block, before, outcome.n_samples)
            warnings.warn(
                f"the weights diverged at sample {self.n_samples_seen_ + outcome.n_samples}: "
                f"{outcome.status.sentence}; {outcome.status.remedy}",
                DivergenceWarning,
                stacklevel=4,
            )
        if not keep_outputs:
            return block
        # The outputs of a sample are those of the weights before it.
        n_valid = outcome.n_samples if outcome.status else n_samples
        initial = circuit.initial_records(before)
        shifted = {
            name: np.concatenate([initial[name][None], values[0, : max(0, n_valid - 1)]])
            for name, values in records.items()
        }
        outputs = np.empty_like(block)
        outputs[:n_valid] = circuit.activities(shifted, block[:n_valid])["outputs"][:n_valid]
        outputs[n_valid:] = self._outputs(block[n_valid:])
        return outputs

    def _diverge(self, block: Floats, before: State, n_samples: int) -> None:
        """Return to the last valid weights, those before the sample at which they failed."""
        self.diverged_ = True
        self._state = before
        n_valid = n_samples - 1
        if n_valid > 0:
            none = np.zeros(n_valid, bool)
            self.circuit_.advance(
                [self._state],
                block[None, :n_valid],
                self.n_samples_seen_,
                none,
                self._buffers(0, block.shape[1]),
            )

    def _buffers(self, n_records: int, n: int) -> dict[str, npt.NDArray[Any]]:
        """Return buffers for what outputs follow from."""
        sizes = {"neuron": n, "neuron_2": n, **self.circuit_.sizes(n)}
        return {
            name: np.zeros(
                (1, n_records, *(sizes[dim] for dim in variable.dims[3:])), variable.dtype
            )
            for name, variable in self.circuit_.recordable().items()
            if name in {"effective_weights", self.circuit_.response}
        }

    def _keep_weights(self) -> None:
        self.effective_weights_ = self.circuit_.effective_weights(self._state)
        self.whitening_ = np.asarray(np.linalg.inv(self.effective_weights_) / self.scale_)

    def _outputs(self, inputs: Floats) -> Floats:
        """Return the outputs of frozen weights."""
        records = {
            name: np.broadcast_to(value, (len(inputs), *value.shape))
            for name, value in self.circuit_.initial_records(self._state).items()
        }
        return self.circuit_.activities(records, inputs)["outputs"]
