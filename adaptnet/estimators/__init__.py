"""Circuits as estimators of scikit-learn (extra ``sklearn``)."""

try:
    import sklearn  # noqa: F401, asked for so that its absence ends in a sentence
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "adaptnet.estimators needs scikit-learn, which is not installed: "
        'python -m pip install "adaptnet[sklearn]"'
    ) from error

from adaptnet.estimators.whitener import OnlineWhitener

__all__ = ["OnlineWhitener"]


def __dir__() -> list[str]:
    return __all__
