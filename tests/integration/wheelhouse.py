"""The wheels of the tests: those on the "index" (a folder for `--find-links`), and those that only hosts can have.

The cast, in the order of what it is for:

===============  =====================================================================================
engine           what passes through; needs fuel (and `turbo` with its extra, `winch` where a marker holds)
fuel             a closure member
plugin           a build requirement that needs engine: its version 1.0 any, its version 2.0 an engine 2
picky            a build requirement that needs engine 2
greedy           a build requirement that needs fuel 2
tool             a build requirement that needs nothing
odd.Name         a name in need of normalizing
===============  =====================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.samples.records_what_it_sees.backend import tiny_wheel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ENGINE = ["fuel>=1", "turbo; extra == 'fast'", "winch; sys_platform == 'nowhere'"]
_PROGRAM = "#!python\nimport sys\nprint('native', sys.prefix)\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheelhouse:
    """Two folders of wheels."""

    index: Path
    """What an installer can find."""
    elsewhere: Path
    """What is on no index: only the tests put it into hosts."""
    uv_toml: Path
    """A configuration of uv that names the index (uv has no variable for `--no-index`)."""

    def find(self, requirement: str) -> Path:
        """Return the wheel for `name==version`, from either folder."""
        name, _, version = requirement.partition("==")
        stem = f"{name.replace('-', '_').replace('.', '_')}-{version}"
        (found,) = [path for folder in (self.index, self.elsewhere) for path in folder.glob(f"{stem}-*.whl")]
        return found


def built(folder: Path) -> Wheelhouse:
    """Write all wheels below `folder`."""
    house = Wheelhouse(index=folder / "index", elsewhere=folder / "elsewhere", uv_toml=folder / "uv.toml")
    house.index.mkdir(parents=True)
    house.elsewhere.mkdir()
    house.uv_toml.write_text(f"no-index = true\nfind-links = [{str(house.index)!r}]\n", encoding="utf-8")
    for version in ("1.0", "1.5", "2.0"):
        _write(house.index, "engine", version, requires=_ENGINE, extras=["fast"])
    for version in ("2.6.0+cu124", "3.0.dev20260101", "2.0rc1", "1.2+cpu"):
        _write(house.elsewhere, "engine", version, requires=_ENGINE, extras=["fast"])
    for name in ("fuel", "tool"):
        for version in ("1.0", "2.0"):
            _write(house.index, name, version)
    _write(house.index, "turbo", "1.0")
    _write(house.index, "plugin", "1.0", requires=["engine"])
    _write(house.index, "plugin", "2.0", requires=["engine>=2,<3.0.dev0"])
    _write(house.index, "picky", "1.0", requires=["engine>=2"])
    _write(house.index, "greedy", "1.0", requires=["fuel>=2"])
    _write(house.index, "odd.Name", "1.0", module="odd_name")
    _write(house.elsewhere, "private", "1.0", requires=["absent>=1"])
    _write(house.elsewhere, "bolt", "1.0", requires=["tool"])
    _write(house.elsewhere, "shared-one", "1.0", files={"shared/one/__init__.py": "__version__ = '1.0'\n"})
    _write(house.elsewhere, "shared-two", "1.0", files={"shared/two/__init__.py": "__version__ = '1.0'\n"})
    _write(house.index, "shared-three", "1.0", files={"shared/three/__init__.py": "__version__ = '1.0'\n"})
    _write(
        house.elsewhere,
        "scripted",
        "1.0",
        files={
            "scripted/__init__.py": (
                "import sys\n__version__ = '1.0'\ndef main():\n    print('scripted', sys.prefix)\n"
            ),
            "scripted-1.0.dist-info/entry_points.txt": "[console_scripts]\nscripted-say = scripted:main\n",
            "scripted-1.0.data/scripts/scripted-native": _PROGRAM,
            "scripted-1.0.data/data/share/scripted/data.txt": "data\n",
        },
    )
    _write(house.elsewhere, "misnamed", "1.0", module="other_module")
    _write(house.elsewhere, "sample", "9.0", module="sample_of_host")
    return house


def _write(
    folder: Path,
    name: str,
    version: str,
    *,
    module: str = "",
    files: dict[str, str] | None = None,
    requires: Sequence[str] = (),
    extras: Sequence[str] = (),
) -> None:
    package = module or name
    default = {f"{package}/__init__.py": f"__version__ = {version!r}\n", f"{package}/part.py": "VALUE = 1\n"}
    tiny_wheel.write(folder, name, version, files or default, requires=requires, extras=extras)
