"""A real S3 server on loopback: SeaweedFS, from the development dependencies."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_START_LIMIT_S = 60.0
_ATTEMPTS = 4


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
    """Start the server with an empty bucket; fail if it does not answer within a minute.

    Its ports can be taken between the look and the start, so a server that ends at once is started again on others.
    """
    (folder / "data").mkdir(parents=True)
    for attempt in range(_ATTEMPTS):
        ports = _free_ports(4)
        server = S3Server(f"http://127.0.0.1:{ports[3]}", "ipse-test")
        with (folder / f"weed-{attempt}.log").open("wb") as log:
            process = _start(folder, ports, log)
        try:
            if _created_bucket(server, process):
                yield server
                return
        finally:
            _end(process)
    raise AssertionError(f"the S3 server ended at its start, {_ATTEMPTS} times; its log is in {folder}")


def _start(folder: Path, ports: list[int], log: IO[bytes]) -> subprocess.Popen[bytes]:
    weed = shutil.which("weed") or str(Path(sys.executable).parent / "weed")
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
    return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _created_bucket(server: S3Server, process: subprocess.Popen[bytes]) -> bool:
    """Wait for the server and make the bucket; False when the server has ended."""
    import httpx2

    deadline = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return False
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.put(f"{server.endpoint}/{server.bucket}", timeout=5).status_code == 200:
                return True
        time.sleep(0.2)
    raise AssertionError(f"the S3 server did not answer within {_START_LIMIT_S:g} s")


def _free_ports(count: int) -> list[int]:
    """Ports that are free together with the gRPC port 10,000 above each, below those of outgoing connections."""
    ports: list[int] = []
    while len(ports) < count:
        port = random.randrange(11_000, 21_000)
        with socket.socket() as probe, socket.socket() as grpc:
            try:
                probe.bind(("127.0.0.1", port))
                grpc.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports
