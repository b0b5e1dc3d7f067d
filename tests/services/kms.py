"""A server that speaks the protocol of AWS KMS, on loopback: moto, from the development dependencies."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from unittest.mock import patch

import boto3
import httpx2
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"


@contextlib.contextmanager
def running_kms() -> Iterator[KeyService]:
    """Start it, and point the libraries of this process at it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL_KMS": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_MAX_ATTEMPTS": "1",
    }
    with patch.dict(os.environ, environment):
        try:
            yield KeyService(f"http://{host}:{port}")
        finally:
            server.stop()


class KeyService:
    """The running service."""

    def __init__(self, url: str) -> None:
        self._url = url

    def new_key(self) -> str:
        """Make a key; return its URI as Ipse is configured with it."""
        made = boto3.client("kms", region_name=REGION).create_key()
        return f"aws-kms://{made['KeyMetadata']['Arn']}"

    def lose_every_key(self) -> None:
        """All keys are gone, as after a deletion or the loss of the permission to use them."""
        httpx2.post(f"{self._url}/moto-api/reset").raise_for_status()
