"""Pictures of environments: what the statistics of the inputs do over a run."""

from typing import TYPE_CHECKING, Any

import numpy as np

from adaptnet._checks import Floats, whole_number
from adaptnet.metrics import affine_invariant_distance
from adaptnet.plotting.figures import new_figure
from adaptnet.plotting.labels import label_decades, label_samples, thin
from adaptnet.plotting.style import in_style
from adaptnet.protocols import Environment, Realization

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POINTS = 400
_SNAPSHOTS = 5
_ELLIPSE_AT_MOST = 2  # neurons: beyond, covariances are drawn as images
# Light tints that dark curves stand out on, told apart by lightness as well as hue.
_BANDS = ("#FFFFFF", "#D9E6F2", "#F6E3C5", "#DDEBD5", "#EBD9E6", "#E3E3E3", "#CFE8E8", "#F7D6D0")


@in_style
def plot_environment(
    environment: Environment,
    n_samples: int,
    *,
    seed: "int | np.random.SeedSequence" = 0,
) -> "tuple[Figure, dict[str, Axes]]":
    """Draw an environment: its contexts, spectrum, distance from the start, and covariances.

    Parameters
    ----------
    environment : Environment
        One whose truth is known, exactly or empirically.
    n_samples : int
        Length of the run that is drawn.
    seed : int or SeedSequence
        The replicate that is drawn, where replicates differ.

    Returns
    -------
    figure
    axes : dict
        ``"spectrum"`` (eigenvalues over samples, contexts as bands), ``"distance"``
        (affine-invariant, from the covariance of sample 0), and ``"covariance_0"`` and on
        (covariances at samples at equal spacing, the middle of each fifth of the run: for two
        neurons ellipses of one standard deviation, for more, images in the colours of ``"scale"``;
        triangles mark the samples).

    Raises
    ------
    TypeError, ValueError
        If `environment` is none, `n_samples` is not a positive whole number or not a run that the
        environment can give, or nothing is known of its covariances.

    Examples
    --------
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=100)
    >>> figure, axes = plot_environment(environment, 400)
    >>> list(axes)[:3]
    ['spectrum', 'distance', 'covariance_0']
    """
    n_samples = whole_number("n_samples", n_samples)
    if not isinstance(environment, Environment):
        raise TypeError(f"environment must be an environment, got {environment!r}")
    if environment.truth == "absent":
        raise ValueError(
            "environment must have a truth to be drawn, but nothing is known of its covariances; "
            "for recordings choose truth='segment' or 'window'"
        )
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    realization = environment.realize(root)
    changes = realization.change_samples(n_samples)
    # Both sides of each change, so that steps are drawn as steps.
    even = np.linspace(0, n_samples - 1, _POINTS).astype(np.int64)
    samples = np.unique(np.concatenate([even, changes[:_POINTS], changes[:_POINTS] - 1]))
    covariances = realization.covariances(samples)

    figure = new_figure(2.1, 2.2)
    grid = figure.add_gridspec(3, _SNAPSHOTS, height_ratios=(1.3, 1.0, 1.0))
    axes = {"spectrum": figure.add_subplot(grid[0, :])}
    axes["distance"] = figure.add_subplot(grid[1, :], sharex=axes["spectrum"])
    _bands(environment, realization, changes, n_samples, list(axes.values()))

    axes["spectrum"].plot(samples, np.linalg.eigvalsh(covariances), color="0.2", linewidth=thin())
    axes["spectrum"].set_yscale("log")
    label_decades(axes["spectrum"].yaxis)
    axes["spectrum"].set_ylabel("eigenvalues")
    axes["spectrum"].tick_params(labelbottom=False)
    distances = affine_invariant_distance(covariances[0], covariances)
    axes["distance"].plot(samples, distances, color="#0072B2")
    axes["distance"].set_ylabel("affine-invariant\ndistance from start")
    axes["distance"].set_xlabel("samples")
    axes["distance"].set_xlim(0, n_samples)
    label_samples(axes["distance"].xaxis, 7)

    at = (n_samples * (2 * np.arange(_SNAPSHOTS) + 1)) // (2 * _SNAPSHOTS)
    shown = realization.covariances(at)
    for i, (sample, covariance) in enumerate(zip(at, shown, strict=True)):
        ax = axes[f"covariance_{i}"] = figure.add_subplot(grid[2, i])
        ax.set_title(f"sample {sample:,}", fontsize=8)
        _covariance(ax, covariance, shown)
    # Where in the run they lie.
    below = axes["distance"].get_xaxis_transform()
    axes["distance"].scatter(
        at,
        np.zeros(len(at)),
        marker="^",
        s=24,
        color="0.2",
        transform=below,
        clip_on=False,
        zorder=3,
    )
    first = axes["covariance_0"]
    if environment.n_neurons == _ELLIPSE_AT_MOST:
        first.set_ylabel("input 1")
        for i in range(_SNAPSHOTS):
            axes[f"covariance_{i}"].set_xlabel("input 0")
    else:
        first.set_ylabel("covariance")
        beside = [axes[f"covariance_{i}"] for i in range(_SNAPSHOTS)]
        axes["scale"] = figure.colorbar(first.images[0], ax=beside, shrink=0.8).ax
    return figure, axes


def _bands(
    environment: Environment,
    realization: Realization,
    changes: Any,
    n_samples: int,
    axes: "list[Axes]",
) -> None:
    """Shade the contexts, and name them where there are few."""
    edges = np.concatenate([[0], changes, [n_samples]])
    contexts = realization.contexts(edges[:-1])
    named = len(environment.context_names) > 1
    for ax in axes:
        seen: set[int] = set()
        for context, start, stop in zip(contexts.tolist(), edges[:-1], edges[1:], strict=True):
            label = environment.context_names[context] if context not in seen and named else None
            seen.add(context)
            colour = _BANDS[context % len(_BANDS)]
            ax.axvspan(start, stop, facecolor=colour, edgecolor="none", label=label, zorder=0)
    if named:
        legend = axes[0].legend(
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=min(4, len(set(contexts.tolist()))),
            fontsize=8,
            borderaxespad=0.2,
            frameon=False,
        )
        for patch in legend.get_patches():
            patch.set_edgecolor("0.5")


def _covariance(ax: "Axes", covariance: Floats, all_shown: Floats) -> None:
    """Draw one covariance, on a scale that all that are shown share."""
    if len(covariance) == _ELLIPSE_AT_MOST:
        angle = np.linspace(0, 2 * np.pi, 121)
        ellipse = np.linalg.cholesky(covariance) @ [np.cos(angle), np.sin(angle)]
        ax.plot(*ellipse, color="0.2", linewidth=1.2)
        reach = 1.1 * np.sqrt(all_shown.max())
        ax.set_xlim(-reach, reach)
        ax.set_ylim(-reach, reach)
        ax.set_aspect("equal")
        return
    bound = np.abs(all_shown).max()
    ax.imshow(covariance, cmap="RdBu_r", vmin=-bound, vmax=bound)
    ax.set_xticks([])
    ax.set_yticks([])
