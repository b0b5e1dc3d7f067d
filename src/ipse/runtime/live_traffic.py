"""Live traffic is served only where the master keys are kept apart from the data they protect."""

from __future__ import annotations

from ipse.runtime.application import Application, Mode
from ipse.security import keysets
from ipse.settings import Settings


class DevelopmentKeys(Exception):
    """A public installation would serve a live application with master keys that lie in files beside the data."""


def require_real_keys(settings: Settings, application: Application) -> None:
    """Let sandbox applications pass, and any application of a local installation.

    Raises:
        DevelopmentKeys: see the class. `ipse doctor` names the remedy.
    """
    if application.mode is Mode.LIVE and not settings.is_local and keysets.rings_on_files(settings):
        raise DevelopmentKeys
