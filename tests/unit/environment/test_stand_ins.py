"""A stand-in makes an installer count a host distribution as installed, and holds nothing of it but metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passbuild.environment import contents, stand_ins
from passbuild.plan.model import Passed
from passbuild.values import replace
from tests.unit.fakes import distribution

if TYPE_CHECKING:
    from pathlib import Path


def test_stand_in_is_metadata_with_the_host_s_requirements(tmp_path: Path) -> None:
    """It states name, version and requirements, less what the host lacks; RECORD lists its own files alone."""
    info = tmp_path / "host"
    info.mkdir()
    (info / "METADATA").write_text("Name: torch\nProvides-Extra: opt\n")
    (info / "entry_points.txt").write_text("[console_scripts]\ntorchrun = torch:main\n")
    torch = replace(distribution("torch", "2.1+cpu", "sympy>=1", "lacking", "more; extra == 'opt'"), info=info)
    site = tmp_path / "site"
    site.mkdir()

    standing = stand_ins.write([Passed(distribution=torch, named=True, needed_by=(), left_out=("lacking",))], site)

    (folder,) = standing
    assert folder.name == "torch-2.1+cpu.dist-info"
    assert (folder / "METADATA").read_text().splitlines() == [
        "Metadata-Version: 2.1",
        "Name: torch",
        "Version: 2.1+cpu",
        "Requires-Dist: sympy>=1",
        'Requires-Dist: more; extra == "opt"',
        "Provides-Extra: opt",
    ]
    recorded = {line.split(",")[0] for line in (folder / "RECORD").read_text().splitlines()}
    assert recorded == {f"{folder.name}/{path.name}" for path in folder.iterdir()}
    assert contents.listed(site)[torch.name].is_stand_in


def test_change_of_a_stand_in_is_seen(tmp_path: Path) -> None:
    """What an installer does to it shows in the digest."""
    ((folder, before),) = stand_ins.write(
        [Passed(distribution=distribution("a"), named=True, needed_by=())], tmp_path
    ).items()

    (folder / "INSTALLER").write_text("pip\n")
    changed = stand_ins.digest(folder)
    stand_ins.remove([folder])

    assert before not in {changed, ""}
    assert stand_ins.digest(folder) == ""
    assert list(tmp_path.iterdir()) == []
