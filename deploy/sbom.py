"""Join the Python part, the web part and the models into one CycloneDX document (``make sbom``).

    python deploy/sbom.py dist/python.cdx.json web/package-lock.json src/ipse/biometrics/data/ledger.json

The Python part comes from cyclonedx-py with the hashes of requirements/runtime.txt; web packages are those that
package-lock.json does not mark as development only; models are those of the ledger, by the digest that loading checks.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Component = dict[str, Any]


def joined(python: Path, web_lock: Path, ledger: Path) -> dict[str, Any]:
    """The document of the Python part with the other components added."""
    document: dict[str, Any] = json.loads(python.read_text())
    document["components"] = [
        *document.get("components", []),
        *web_packages(json.loads(web_lock.read_text())),
        *models(json.loads(ledger.read_text())),
    ]
    return document


def web_packages(lock: dict[str, Any]) -> Iterator[Component]:
    """What the pages are built from; workspaces of our own and development packages are left out."""
    for place, package in lock["packages"].items():
        name = place.rpartition("node_modules/")[2]
        if not place.startswith("node_modules/") or package.get("link") or package.get("dev"):
            continue
        purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
        component: Component = {
            "type": "library",
            "bom-ref": purl,
            "name": name,
            "version": package["version"],
            "purl": purl,
        }
        if "integrity" in package:
            kind, _, digest = package["integrity"].partition("-")
            content = base64.b64decode(digest).hex()
            component["hashes"] = [{"alg": kind.upper().replace("SHA", "SHA-"), "content": content}]
        if "license" in package:
            component["licenses"] = [{"expression": package["license"]}]
        yield component


def models(ledger: dict[str, Any]) -> Iterator[Component]:
    """The models of the ledger."""
    for model in ledger["models"]:
        yield {
            "type": "machine-learning-model",
            "bom-ref": f"model:{model['name']}",
            "name": model["name"],
            "version": ledger["version"],
            "description": model["purpose"],
            "hashes": [{"alg": "SHA-256", "content": model["sha256"]}],
            "licenses": [{"license": {"name": model["licence"]}}],
        }


if __name__ == "__main__":
    json.dump(joined(*(Path(argument) for argument in sys.argv[1:4])), sys.stdout, indent=1)
