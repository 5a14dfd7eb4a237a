"""An S3 server for tests: a process of its own, spoken to over HTTP."""

import sys
from pathlib import Path

import boto3
import requests

from devtools.ports import any_free
from devtools.process_tree import ManagedProcess
from tests.support.waiting import wait_until

KEY, SECRET, BUCKET = "kunci", "raha/sia", "berkas"


class S3Server:
    """moto's server with an empty bucket; `url` is the setting `FILES_URL`."""

    def __init__(self, log: Path) -> None:
        port = any_free()
        self.endpoint = f"http://127.0.0.1:{port}"
        argv = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        redirected = ["sh", "-c", 'exec "$@" >>"$0" 2>&1', str(log), *argv]
        self.child = ManagedProcess(redirected)
        self.client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )
        try:
            wait_until(self._answers, 30, "moto answers")
            self.client.create_bucket(Bucket=BUCKET)
        except BaseException:
            self.kill()
            raise
        self.url = f"s3://{KEY}:raha%2Fsia@{BUCKET}/ukm?endpoint={self.endpoint}"

    def _answers(self) -> bool:
        assert self.child.running()
        try:
            return requests.get(self.endpoint, timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    def stored(self) -> set[str]:
        """Return all keys of the bucket."""
        found = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {each["Key"] for each in found}

    def kill(self) -> None:
        """Kill it, as in a crash."""
        self.child.kill()
