"""``ipse migrate`` brings a database to this release's schema, and says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ipse.storage import migrate
from tests.services.databases import Databases


def test_an_empty_database_is_brought_to_the_newest_schema_once(databases: Databases, tmp_path: Path) -> None:
    with databases.fresh(tmp_path / "data", migrated=False) as url:
        environment = {**os.environ, "IPSE_DATA_DIR": str(tmp_path / "data"), "IPSE_DATABASE_URL": url}

        def run() -> Any:
            done = subprocess.run(
                [sys.executable, "-m", "ipse.cli", "migrate", "--json"],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        newest = migrate.head_revision()
        assert run() == {"before": None, "after": newest}
        assert run() == {"before": newest, "after": newest}
