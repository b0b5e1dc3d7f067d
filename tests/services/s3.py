"""A real S3 server on loopback: SeaweedFS, from the development dependencies."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_START_LIMIT_S = 60.0


@dataclass(frozen=True)
class S3Server:
    """Where it listens. ``url`` names a bucket for :func:`ipse.storage.blobs.open_blob_store`."""

    endpoint: str
    bucket: str

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/media?endpoint={self.endpoint}"


CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
"""The server accepts any credentials; the client insists on some."""


@contextlib.contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """Start the server with an empty bucket; fail if it does not answer within a minute."""
    weed = shutil.which("weed") or str(Path(sys.executable).parent / "weed")
    ports = _free_ports(4)
    (folder / "data").mkdir(parents=True)
    command = [
        weed,
        "server",
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-master.port={ports[0]}",
        f"-volume.port={ports[1]}",
        f"-filer.port={ports[2]}",
        f"-s3.port={ports[3]}",
        "-s3",
        "-filer",
        "-volume.max=4",
        "-master.volumeSizeLimitMB=64",
    ]
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder)}
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment)
        try:
            server = S3Server(f"http://127.0.0.1:{ports[3]}", "ipse-test")
            _create_bucket(server, process)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _create_bucket(server: S3Server, process: subprocess.Popen[bytes]) -> None:
    import httpx2

    deadline = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "the S3 server ended at its start"
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.put(f"{server.endpoint}/{server.bucket}", timeout=5).status_code == 200:
                return
        time.sleep(0.2)
    raise AssertionError(f"the S3 server did not answer within {_START_LIMIT_S:g} s")


def _free_ports(count: int) -> list[int]:
    """Ports that are free together with the gRPC port 10,000 above each."""
    ports: list[int] = []
    while len(ports) < count:
        with socket.socket() as probe, socket.socket() as grpc:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            if port > 55_000 or port in ports:
                continue
            try:
                grpc.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
            ports.append(port)
    return ports
