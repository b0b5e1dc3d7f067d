"""What deploy/ says about the service is true of the service, and it gives away no more than it must."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client import REGISTRY

import ipse.api.monitoring
import ipse.api.system
import ipse.edge.middleware
import ipse.sessions.lifecycle
import ipse.webhooks.delivery  # noqa: F401  what registers metrics
from ipse.settings import Settings

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
OPTIONS = {f"IPSE_{name.upper()}" for name in Settings.model_fields}
KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
UNITS = sorted((DEPLOY / "systemd").glob("ipse-*.service"))
TEXTS = sorted(path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"})
METRIC = re.compile(r"\bipse_[a-z_]+\b")


def documents() -> Iterator[dict[str, Any]]:
    for path in KUBERNETES:
        yield from yaml.safe_load_all(path.read_text("utf-8"))


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for document in documents():
        if document["kind"] in {"Deployment", "Job"}:
            name = document["metadata"].get("name") or document["metadata"]["generateName"]
            yield name, document["spec"]["template"]["spec"]


def unit(path: Path) -> Mapping[str, list[str]]:
    """Every directive of a unit with its values."""
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.read_string(re.sub(r"(?m)^([A-Za-z]+)=", lambda m: f"{m[1]}_{m.start()}=", path.read_text("utf-8")))
    values: dict[str, list[str]] = {}
    for section in parser.sections():
        for key, value in parser.items(section):
            values.setdefault(key.rsplit("_", 1)[0], []).append(value)
    return values


def known_metrics() -> set[str]:
    names: set[str] = set()
    for family in REGISTRY.collect():
        names.add(family.name)
        names |= {family.name + ending for ending in ("_total", "_bucket", "_count", "_sum")}
    return names


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_option_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(r"\bIPSE_[A-Z_]+\b", path.read_text("utf-8")))
    assert named <= OPTIONS | {"IPSE_TRUSTED_PROXIES"}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_no_secret_is_written_into_a_file_and_no_registry_is_named(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"MASTER_KEY\s*[=:]\s*\S", text)
    assert not re.search(r"(?:PASSWORD|SECRET_ACCESS_KEY)\s*[=:]\s*\S", text)
    assert not re.search(r"\b(?:docker\.io|ghcr\.io|quay\.io|gcr\.io|public\.ecr\.aws)\b", text)


def test_pods_run_without_root_with_a_read_only_root_and_no_privileges() -> None:
    for name, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True, name
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert "memory" in container["resources"]["limits"], name
            mounts = {mount["name"] for mount in container["volumeMounts"]}
            assert mounts == {volume["name"] for volume in pod["volumes"]}, name
        in_memory = [volume["emptyDir"]["medium"] for volume in pod["volumes"] if "emptyDir" in volume]
        assert set(in_memory) == {"Memory"}, f"{name}: nothing may reach the disk of a node"


def test_ports_and_probes_agree_with_one_another() -> None:
    default = Settings.model_fields["port"].default
    found = {name: pod["containers"][0] for name, pod in pods()}
    serve, worker = found["ipse-serve"], found["ipse-worker"]
    assert serve["ports"] == [{"name": "http", "containerPort": default}]
    assert serve["readinessProbe"]["httpGet"] == {"path": "/system/healthcheck", "port": "http"}
    assert worker["env"] == [{"name": "IPSE_WORKER_METRICS_PORT", "value": str(worker["ports"][0]["containerPort"])}]
    kinds = {document["kind"]: document for document in documents()}
    assert {"NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler", "Job", "Service"} <= kinds.keys()
    opened = {port["port"] for rule in kinds["NetworkPolicy"]["spec"]["ingress"] for port in rule["ports"]}
    assert opened == {default, worker["ports"][0]["containerPort"]}
    assert f"EXPOSE {default}" in (DEPLOY / "container" / "Containerfile").read_text("utf-8")


def test_the_image_runs_as_nobody_known_and_installs_only_locked_packages() -> None:
    text = (DEPLOY / "container" / "Containerfile").read_text("utf-8")
    last = text[text.rindex("\nFROM ") :]
    assert re.search(r"^USER (?!0\b|root)\d+:\d+$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "--require-hashes --requirement requirements/runtime.txt" in text
    assert "npm --prefix web ci --ignore-scripts" in text


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_may_write_nothing_but_their_state(path: Path) -> None:
    directives = unit(path)
    for name, value in {
        "ProtectSystem": "strict",
        "NoNewPrivileges": "yes",
        "ProtectHome": "yes",
        "PrivateDevices": "yes",
        "CapabilityBoundingSet": "",
        "LimitCORE": "0",
        "User": "ipse",
    }.items():
        assert directives[name.lower()] == [value], name
    assert [value.split(":")[0] for value in directives["loadcredential"]] == [
        "ipse_ordinary_master_key",
        "ipse_biometric_master_key",
    ]
    assert "readwritepaths" not in directives


def test_a_secret_handed_over_as_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "ipse_ordinary_master_key").write_text("a2V5\n", "utf-8")
    (tmp_path / "ipse_database_url").write_text("postgresql+psycopg://ipse@/ipse\n", "utf-8")
    settings = Settings(_secrets_dir=tmp_path)
    assert settings.ordinary_master_key is not None
    assert settings.ordinary_master_key.get_secret_value() == "a2V5"
    assert settings.database_url == "postgresql+psycopg://ipse@/ipse"


def test_the_proxy_speaks_tls_1_3_only_and_lets_through_what_the_service_takes() -> None:
    nginx = (DEPLOY / "proxy" / "nginx.conf").read_text("utf-8")
    caddy = (DEPLOY / "proxy" / "Caddyfile").read_text("utf-8")
    assert re.findall(r"ssl_protocols (.*);", nginx) == ["TLSv1.3"]
    assert "protocols tls1.3\n" in caddy
    largest = Settings.model_fields["max_body_bytes"].default // 2**20
    assert f"client_max_body_size {largest}m;" in nginx
    assert f"max_size {largest}MiB" in caddy
    for text in (nginx, caddy):
        assert "Strict-Transport-Security" in text
        assert "X-Forwarded-For" in text
        assert "/metrics" in text


def test_every_metric_that_an_alert_or_the_page_names_exists() -> None:
    alerts = yaml.safe_load((DEPLOY / "monitoring" / "alerts.yml").read_text("utf-8"))
    rules = [rule for group in alerts["groups"] for rule in group["rules"]]
    page = (ROOT / "docs" / "operate" / "monitoring.md").read_text("utf-8")
    for rule in rules:
        assert set(METRIC.findall(rule["expr"])) <= known_metrics(), rule["alert"]
        assert rule["alert"] in page, "the page says what to do about it"
        assert rule["labels"]["severity"] in {"page", "ticket"}
    in_tables = {name for row in page.splitlines() if row.startswith("| `ipse_") for name in METRIC.findall(row)[:1]}
    assert in_tables
    assert in_tables <= known_metrics()
    yaml.safe_load((DEPLOY / "monitoring" / "prometheus.yml").read_text("utf-8"))
