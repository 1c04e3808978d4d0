"""An S3 of our own for the tests: moto's server, a process beside the test's that is spoken to over HTTP only.

The fixture `store` runs a test twice: with files in a folder, and in a bucket of this server. It takes the place of
the storage in the settings, so that nothing but the setting differs.
"""

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError

from marketplace.embedded.children import Children, last_lines

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """The address of the running server."""
    children = Children()
    try:
        yield _start(children)
    finally:
        children.stop()


@pytest.fixture
def bucket(object_store: str, settings: Any, request: pytest.FixtureRequest) -> str:
    """A new bucket; files are kept in it."""
    name = f"files-{time.monotonic_ns()}"
    _client(object_store).create_bucket(Bucket=name)
    options = {"bucket_name": name, "endpoint_url": object_store, "region_name": "us-east-1"}
    backend = "marketplace.object_storage.ObjectStorage"
    default = {"BACKEND": backend, "OPTIONS": options | {"access_key": "test", "secret_key": "test"}}
    settings.STORAGES = settings.STORAGES | {"default": default}
    return name


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> str:
    """Which of the two storages this test runs on."""
    if request.param == "s3":
        request.getfixturevalue("bucket")
    else:
        settings.MEDIA_ROOT = tmp_path
    return str(request.param)


def _start(children: Children) -> str:
    log = children.folder() / "moto.log"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    children.start("moto", [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], log=log)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not children.ended():
        try:
            _client(address).list_buckets()
        except BotoCoreError:
            time.sleep(0.1)
        else:
            return address
    pytest.fail(f"The object store does not start:{last_lines(log)}")


def _client(address: str) -> Any:
    return boto3.client("s3", endpoint_url=address, **KEYS)
