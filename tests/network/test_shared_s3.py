"""A place that a team shares on S3: s3fs against a server of that protocol on this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.network

ROOT = Path(__file__).parents[2]
_PROGRAM = """
import json, os, sys
from pathlib import Path
import boto3
from passbuild import wheel_store
from passbuild.environment.store import Store
from passbuild.shared_place import Shared

folder, warnings = Path(sys.argv[1]), []
wheel, s3 = folder / "sample-1.0-py3-none-any.whl", boto3.client("s3")
wheel.write_bytes(os.urandom(12_000_000))  # three parts of an upload

def machine(name):
    shared = Shared("s3://team/builds", "--shared-wheels", is_writable=name == "writes", patience=20)
    return wheel_store.Wheels(store=Store(root=folder / name / "store", max_age=9, max_size=10**9), shared=shared)

def found(name):
    out = folder / name / "out"
    out.mkdir(parents=True, exist_ok=True)
    wheels = machine(name)
    item = wheel_store.found(wheels, "key", out, warnings.append)
    return item and [item.place, item.facts, item.path.read_bytes() == wheel.read_bytes()]

def keep(name):
    wheel_store.kept(machine(name), "key", wheel, {"passed": ["engine 1.0"]}, warnings.append)

def names():
    found = [item["Key"] for item in s3.list_objects_v2(Bucket="team").get("Contents", ())]
    return sorted(found, key=lambda name: name.endswith(".json"))

told = {}
keep("writes")
told["no bucket"], warnings = warnings, []
s3.create_bucket(Bucket="team")
told["empty"] = found("one")
keep("reads")
told["read-only"] = names()
keep("writes")
told["names"] = names()
told["found"] = found("two")
told["quiet"], warnings = warnings, []
s3.put_object(Bucket="team", Key=names()[0], Body=b"other")
told["damaged"] = [found("three"), warnings]
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment as a user of S3 has it, and a server of its protocol."""
    folder = tmp_path_factory.mktemp("s3") / "venv"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    argv = [*uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")]
    subprocess.run([*argv, f"{ROOT}[shared]", "s3fs", "moto[server]"], check=True)
    return folder / "bin"


@pytest.fixture
def endpoint(environment: Path) -> Iterator[str]:
    """Serve S3 on a port of this machine, with nothing in it, and yield the URL."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    argv = [str(environment / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not _listens(port):
        assert server.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def test_a_bucket_is_a_shared_place(environment: Path, endpoint: str, tmp_path: Path) -> None:
    """Wheels in several parts are put there and found, checked; a bucket is never made, and read-only is that."""
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "s3cret", "AWS_DEFAULT_REGION": "us-east-1"}
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": endpoint, **keys}

    run = subprocess.run(
        [environment / "python", "-c", _PROGRAM, tmp_path], env=environ, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    (no_bucket,) = told["no bucket"]
    assert "s3://team/builds" in no_bucket
    assert "bucket does not exist" in no_bucket
    assert told["empty"] is None
    assert told["read-only"] == []
    wheel, entry = told["names"]
    assert wheel.startswith("builds/wheels/key/")
    assert wheel.endswith("/sample-1.0-py3-none-any.whl")
    assert entry == "builds/wheels/key/entry.json"
    assert told["found"] == ["s3://team/builds", {"passed": ["engine 1.0"]}, True]
    assert told["quiet"] == []
    nothing, (damage,) = told["damaged"]
    assert nothing is None
    assert "another size" in damage
    assert "s3cret" not in run.stdout
