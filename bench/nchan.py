"""The peer of bench/fanout.py: nginx with nchan, a publish-subscribe server written in C."""

import http.client
import shutil
import tempfile
from pathlib import Path
from typing import Self

import psutil

from devtools.ports import any_free
from devtools.process_tree import ManagedProcess
from tests.support.waiting import wait_until

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
SITE = """
load_module {module};
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 20000; }}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location /stream {{ nchan_subscriber eventsource; nchan_channel_id bench; }}
    location /publish {{ nchan_publisher; nchan_channel_id bench; }}
  }}
}}
"""


class Nchan:
    """nginx with nchan on `port`; `process` is its only worker."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.port = any_free()
        site = Path(self._folder.name) / "nginx.conf"
        site.write_text(SITE.format(module=MODULE, folder=self._folder.name, port=self.port))
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self._child = ManagedProcess([nginx, "-e", "/dev/null", "-c", str(site)])
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        wait_until(self._answers, 10, "nginx answers")
        tree = psutil.Process(self._child.pid).children(recursive=True)
        self.process = max(tree, key=lambda each: each.pid)

    @staticmethod
    def is_installed() -> bool:
        """Return whether Debian's libnginx-mod-nchan is there."""
        return MODULE.exists()

    def publish(self, text: str) -> None:
        """Publish one message and wait for the answer."""
        self._connection.request("POST", "/publish", text)
        answer = self._connection.getresponse()
        answer.read()
        assert answer.status in (200, 201, 202), answer.status

    def _answers(self) -> bool:
        try:
            self.publish("")
        except OSError:
            self._connection.close()
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._child.stop(2)
        self._folder.cleanup()
