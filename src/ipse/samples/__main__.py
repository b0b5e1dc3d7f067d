"""``python -m ipse.samples``: fetch the sample portraits into the user's cache."""

from __future__ import annotations

import sys
from pathlib import Path

import platformdirs

from ipse.biometrics.errors import BiometricsError
from ipse.samples.portraits import portraits


def main() -> None:
    """Fetch what is missing; one sentence when that fails."""
    folder = Path(platformdirs.user_cache_dir("ipse")) / "samples"
    try:
        found = portraits(folder)
    except BiometricsError as error:
        sys.exit(f"The sample portraits could not be fetched: {error}")
    print(f"{len(found)} sample portraits in {folder}")


if __name__ == "__main__":
    main()
