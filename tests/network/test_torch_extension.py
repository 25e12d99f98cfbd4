"""The main job: `passbuild wheel examples/torch-extension` compiles against the torch of the host."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.network.tools import EXAMPLES, installed, output, passbuild

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.network, pytest.mark.torch]

COMPUTE = (
    "import torch, torch_ops; "
    "print(torch_ops.scaled_sum(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]), 0.5).tolist())"
)
MEGABYTES = 1_000_000


def example(folder: Path, pyproject: dict[str, str] | None = None) -> Path:
    """Copy the example, with replacements in its pyproject.toml, and return its folder."""
    ignore = shutil.ignore_patterns("build", "dist", "*.egg-info", "*.so")
    source = shutil.copytree(EXAMPLES / "torch-extension", folder / "torch-extension", ignore=ignore)
    text = (source / "pyproject.toml").read_text()
    for old, new in (pyproject or {}).items():
        assert old in text
        text = text.replace(old, new)
    (source / "pyproject.toml").write_text(text)
    return source


def own_bytes(folder: Path) -> int:
    """Return the bytes of the files below a folder, links not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_wheel_is_compiled_against_the_host_s_torch(installer: str, torch_host: Path, tmp_path: Path) -> None:
    """Nothing of torch is downloaded or copied, the report says so, and the wheel computes in that host."""
    source = example(tmp_path)

    outcome = passbuild("wheel", source, "--host", torch_host, "--installer", installer, "--keep")

    torch = next(item for item in outcome.document["passed"] if item["name"] == "torch")
    assert torch["named"]
    assert torch["location"].startswith(str(torch_host))
    assert outcome.names("installed") == {"setuptools"}
    assert outcome.document["installer"] == installer
    (kept,) = outcome.document["kept"]
    kept_folder = tmp_path / "kept"
    shutil.move(kept, kept_folder)
    assert own_bytes(kept_folder) < 50 * MEGABYTES < torch["size"]
    shown = installed(outcome.wheel, tmp_path / "installed")
    assert output(torch_host / "bin/python", "-c", COMPUTE, shows=shown) == "[2.0, 3.0]"


def test_wheel_from_the_sdist_is_compiled_against_it_too(torch_host: Path, tmp_path: Path) -> None:
    """`passbuild build` makes an sdist, and from it a wheel that computes; so does `passbuild wheel` of the sdist."""
    source = example(tmp_path)

    outcome = passbuild("build", source, "--host", torch_host)
    sdist, wheel = (item["path"] for item in outcome.document["artifacts"])
    again = passbuild("wheel", sdist, "--host", torch_host, "-o", tmp_path / "again")

    assert wheel.endswith(".whl")
    for number, built in enumerate((outcome, again)):
        assert built.names("installed") == {"setuptools"}
        shown = installed(built.wheel, tmp_path / f"installed{number}")
        assert output(torch_host / "bin/python", "-c", COMPUTE, shows=shown) == "[2.0, 3.0]"


@pytest.mark.parametrize("named_by", ["[tool.uv]", "PASSBUILD_PASSTHROUGH", "--passthrough"])
def test_torch_named_in_one_place_and_not_declared(named_by: str, torch_host: Path, tmp_path: Path) -> None:
    """One naming is enough, wherever it stands, also when no build requirement declares torch."""
    table = '[tool.passbuild]\npassthrough = ["torch"]\n'
    uv = '[tool.uv]\nno-build-isolation-package = ["torch"]\n'
    replacements = {', "torch"]': "]", table: uv if named_by == "[tool.uv]" else ""}
    source = example(tmp_path, replacements)
    environ = {"PASSBUILD_PASSTHROUGH": "torch"} if named_by == "PASSBUILD_PASSTHROUGH" else {}
    options = ["--passthrough", "torch"] if named_by == "--passthrough" else []

    outcome = passbuild("wheel", source, "--host", torch_host, *options, environ=environ)

    (decision,) = (item for item in outcome.document["decisions"] if item["name"] == "torch")
    assert re.search(re.escape(named_by), decision["origins"][0])
    assert outcome.names("installed") == {"setuptools"}
    shown = installed(outcome.wheel, tmp_path / "installed")
    assert output(torch_host / "bin/python", "-c", COMPUTE, shows=shown) == "[2.0, 3.0]"
