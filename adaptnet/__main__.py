"""The command line, as ``python -m adaptnet``."""

import importlib
import importlib.util
import sys
from pathlib import Path


def hidden_package(names: tuple[str, ...] = ("environments", "scenarios")) -> str | None:
    """Return a sentence if a file or folder of the user's hides a package of this distribution.

    ``python -m`` looks for packages in the working directory first.
    """
    home = Path(__file__).parent.parent
    for name in names:
        found = importlib.util.find_spec(name)
        place = Path(found.origin) if found and found.origin else None
        if place is not None and not place.is_relative_to(home):
            folder = place.parent if place.name == "__init__.py" else place
            return (
                f"{folder} hides the package {name!r} that adaptnet comes with: rename it, or run "
                "adaptnet from another folder"
            )
    return None


def main() -> None:
    """Run the command line."""
    problem = hidden_package()
    if problem:
        sys.exit(f"Error: {problem}")
    # The one arrow from this package to the top floor, and only when run as a program.
    importlib.import_module("scenarios.entry").main()


if __name__ == "__main__":
    main()
