"""``ipse version``."""

from __future__ import annotations

import platform
from importlib.metadata import version as installed

from ipse import __version__
from ipse.biometrics.calibration import CALIBRATION_VERSION
from ipse.cli import output


def version(*, as_json: bool) -> None:
    """Show versions."""
    facts = {
        "ipse": __version__,
        "calibration": CALIBRATION_VERSION,
        "python": platform.python_version(),
        **{name: installed(name) for name in ("onnxruntime", "opencv-python-headless", "fastapi", "sqlalchemy")},
    }
    if as_json:
        output.print_json(facts)
    else:
        output.print_facts(list(facts.items()))
