"""Containerfile and compose.yaml: their contents, and a start of them if an engine is installed."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from flask import Flask

from devtools.ports import any_free
from tests.support.programs import BIN, ROOT, SECRET, WebServer
from tests.support.waiting import wait_until

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "worker")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_service_is_unprivileged_and_has_a_health_check(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]), "not root"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in service["tmpfs"]
    if name == "migrate":
        assert (service["restart"], service["healthcheck"]) == ("no", {"disable": True})
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"


def test_compose_yaml_contains_no_secret() -> None:
    text = (ROOT / "compose.yaml").read_text()
    assert re.findall(r"POSTGRES_PASSWORD[^:\n]*: *(?!\$)\w", text) == []
    assert {tuple(SERVICES[name]["env_file"]) for name in OURS} == {(".env",)}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()  # podman reads it as well
    assert {".env", "instance", ".git", ".venv"} <= set(ignored)


def test_services_wait_for_migrations_and_only_web_is_published_on_loopback() -> None:
    for name in ("web", "worker"):
        waits = SERVICES[name]["depends_on"]
        assert waits["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES["migrate"]["depends_on"]["db"] == {"condition": "service_healthy"}
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert published == ["127.0.0.1:5000:5000"]


def test_the_image_has_the_projects_python_and_account() -> None:
    text = (ROOT / "Containerfile").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    python = project["tool"]["mypy"]["python_version"]
    assert re.findall(r"^FROM .*/python:([\d.]+)-slim$", text, re.MULTILINE) == [python]
    (account,) = re.findall(r"^USER (\S+)$", text, re.MULTILINE)
    assert {SERVICES[name]["user"] for name in OURS} == {account}


def test_compose_uses_existing_settings_and_commands(app: Flask) -> None:
    table = (ROOT / "README.md").read_text().split("## Settings")[1].split("\n## ")[0]
    known = set(re.findall(r"`([A-Z_]+)`", table)) | {"PYTHONUNBUFFERED"}
    known |= {"FLASK_APP", "FLASK_SKIP_DOTENV"}
    (line,) = re.findall(r"^ENV (.*)$", (ROOT / "Containerfile").read_text(), re.MULTILINE)
    used = {word.partition("=")[0] for word in line.split()}
    for name in OURS:
        used |= SERVICES[name]["environment"].keys()
    assert used <= known
    ping = SERVICES["worker"]["healthcheck"]["test"]
    assert ping[1:4] == ["flask", "queue", "ping"]
    assert "--timeout" in app.test_cli_runner().invoke(args=["queue", "ping", "--help"]).output
    assert SERVICES["migrate"]["command"] == ["flask", "db", "upgrade"]


def test_the_health_check_of_web_follows_readyz(web: WebServer) -> None:
    words = SERVICES["web"]["healthcheck"]["test"][2:]
    assert healthy(words, web.url)
    assert not healthy(words, f"http://127.0.0.1:{any_free()}")


def healthy(words: list[str], url: str) -> bool:
    own = [word.replace("http://127.0.0.1:5000", url) for word in words]
    done = subprocess.run([BIN / "python", *own], check=False, capture_output=True, timeout=20)
    return done.returncode == 0


def compose_command() -> list[str]:
    """Return the command that runs compose; skip the test if no container engine works here."""
    for program in ("docker", "podman"):
        if shutil.which(program):
            asked = ([program, "info"], [program, "compose", "version"])
            done = [subprocess.run(each, check=False, capture_output=True) for each in asked]
            if not any(each.returncode for each in done):
                return [program, "compose"]
    pytest.skip("no container engine that runs: docker or podman, with compose")


@pytest.mark.timeout(900)
def test_the_containers_start_and_answer(tmp_path: Path) -> None:
    compose = compose_command()
    project = tmp_path / "myukm"
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(".git", ".venv", "instance"))
    address = f"http://127.0.0.1:{any_free()}"
    settings = {
        "MYUKM_ENV": "production",
        "SECRET_KEY": SECRET,
        "POSTGRES_PASSWORD": "abcdef0123456789",
        "PUBLIC_URL": "https://ukm.example.ac.id",
        "PEMBAYARAN_API_URL": "https://pembayaran.example.ac.id/api",
    }
    (project / ".env").write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
    port = address.rpartition(":")[2]
    text = (project / "compose.yaml").read_text()
    (project / "compose.yaml").write_text(text.replace("127.0.0.1:5000:5000", f"{port}:5000"))
    compose = [*compose, "--project-name", f"myukm-test-{port}"]
    try:
        subprocess.run([*compose, "up", "--build", "--detach"], check=True, cwd=project)
        wait_until(lambda: ready(address), 120, "the web server is ready")
        argv = [*compose, "exec", "worker", "flask", "queue", "ping", "--timeout", "30"]
        subprocess.run(argv, check=True, cwd=project)
    finally:
        argv = [*compose, "down", "--volumes", "--rmi", "local"]
        subprocess.run(argv, check=False, cwd=project)


def ready(address: str) -> bool:
    try:
        return requests.get(f"{address}/readyz", timeout=5).status_code == 200
    except requests.RequestException:
        return False
