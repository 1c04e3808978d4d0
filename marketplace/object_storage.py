"""Files in an S3-compatible store. Its objects are private: the site streams them through its own views."""

from typing import Any, NoReturn

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from storages.backends.s3 import S3Storage

MEMORY = 5 * 1024 * 1024  # bytes of a file that are kept in memory while it is read; more go to a temporary file
TIMEOUTS = {"connect_timeout": 3, "read_timeout": 20, "retries": {"total_max_attempts": 3, "mode": "standard"}}
# Newer checksums only where the API demands them: not every compatible store knows them.
CHECKSUMS = {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}


class ObjectStorage(S3Storage):  # type: ignore[misc]
    """A bucket. Names are generated and never reused, nothing is public, and no address of an object is given out."""

    def __init__(self, **options: Any) -> None:
        # Stores other than Amazon's are rarely reached by a name of each bucket.
        style = {"addressing_style": "path" if options.get("endpoint_url") else "auto"}
        config = Config(signature_version="s3v4", s3=style, **TIMEOUTS, **CHECKSUMS)
        configs = {"client_config": config, "transfer_config": TransferConfig(use_threads=False)}
        fixed = {"file_overwrite": False, "default_acl": None, "max_memory_size": MEMORY}
        super().__init__(**fixed, **configs, **options)

    def url(self, name: str, *args: object, **kwargs: object) -> NoReturn:
        raise ValueError(f"{name} has no address of its own: files are served by views that ask who is looking.")
