"""A build backend that makes the mistake which the config setting `fault` names; without one, none."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import signal
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_INFO = "unsound-1.0.dist-info"
_NAME = "unsound-1.0-py3-none-any.whl"
_TAGS = "Wheel-Version: 1.0\nGenerator: unsound\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build_wheel(
    wheel_directory: str,
    config_settings: Mapping[str, str] | None = None,
    metadata_directory: str | None = None,
) -> str:
    """Make the mistake."""
    fault = (config_settings or {}).get("fault", "none")
    return _WHEEL_FAULTS[fault](Path(wheel_directory))


def build_sdist(sdist_directory: str, config_settings: Mapping[str, str] | None = None) -> str:
    """Make the mistake."""
    fault = (config_settings or {}).get("fault", "none")
    return _SDIST_FAULTS[fault](Path(sdist_directory))


def _other_project(folder: Path) -> str:
    return _wheel(folder, "other-1.0-py3-none-any.whl", _files("other-1.0.dist-info", "other", "1.0"))


def _other_version(folder: Path) -> str:
    return _wheel(folder, "unsound-2.0-py3-none-any.whl", _files("unsound-2.0.dist-info", "unsound", "2.0"))


def _metadata_of_other_version(folder: Path) -> str:
    return _wheel(folder, _NAME, _files(_INFO, "unsound", "9.0"))


def _no_wheel_name(folder: Path) -> str:
    return _wheel(folder, "unsound.whl", _files())


def _junk(folder: Path) -> str:
    (folder / _NAME).write_bytes(b"junk" * 100)
    return _NAME


def _cut_short(folder: Path) -> str:
    path = folder / _wheel(folder, _NAME, _files())
    path.write_bytes(path.read_bytes()[:-100])
    return _NAME


def _half_then_fails(folder: Path) -> str:
    (folder / _NAME).write_bytes(b"PK\x03\x04half")
    message = "the disk went away"
    raise RuntimeError(message)


def _half_then_killed(folder: Path) -> str:
    (folder / _NAME).write_bytes(b"PK\x03\x04half")
    os.kill(os.getpid(), signal.SIGKILL)
    return _NAME


def _silent_exit(folder: Path) -> str:
    (folder / _NAME).write_bytes(b"PK\x03\x04half")
    os._exit(7)


def _hook_without_end(folder: Path) -> str:
    sys.exit("the backend says goodbye")


def _two_infos(folder: Path) -> str:
    return _wheel(folder, _NAME, {**_files(), **_files("other-1.0.dist-info", "other", "1.0")})


def _no_info(folder: Path) -> str:
    return _wheel(folder, _NAME, {"unsound.py": ""}, record=None)


def _no_record(folder: Path) -> str:
    return _wheel(folder, _NAME, _files(), record=None)


def _wrong_hash(folder: Path) -> str:
    files = _files()
    record = _record(files).replace("unsound.py,sha256=", "unsound.py,sha256=x")
    return _wheel(folder, _NAME, files, record=record)


def _unlisted_file(folder: Path) -> str:
    files = _files()
    return _wheel(folder, _NAME, {**files, "unlisted.py": ""}, record=_record(files))


def _missing_file(folder: Path) -> str:
    files = _files()
    record = _record({**files, "gone.py": ""})
    return _wheel(folder, _NAME, files, record=record)


def _other_tags(folder: Path) -> str:
    return _wheel(folder, _NAME, {**_files(), f"{_INFO}/WHEEL": _TAGS.replace("py3-none-any", "cp311-cp311-any")})


def _no_file(folder: Path) -> str:
    return _NAME


def _folder(folder: Path) -> str:
    (folder / _NAME).mkdir()
    return _NAME


def _outside(folder: Path) -> str:
    _wheel(folder, _NAME, _files())
    return f"../{_NAME}"


def _link(folder: Path) -> str:
    _wheel(Path(tempfile.mkdtemp(dir=str(Path.cwd()))), _NAME, _files())
    (target,) = Path.cwd().glob(f"*/{_NAME}")
    (folder / _NAME).symlink_to(target)
    return _NAME


def _sound(folder: Path) -> str:
    (folder / "left-over.txt").write_text("not the artifact")
    return _wheel(folder, _NAME, _files())


def _two_tops(folder: Path) -> str:
    return _sdist(folder, {"unsound-1.0/PKG-INFO": _metadata(), "other/file": ""})


def _no_pkg_info(folder: Path) -> str:
    return _sdist(folder, {"unsound-1.0/pyproject.toml": ""})


def _pkg_info_of_other(folder: Path) -> str:
    return _sdist(folder, {"unsound-1.0/PKG-INFO": _metadata("other", "9.0")})


def _sdist_of_other(folder: Path) -> str:
    return _sdist(folder, {"other-1.0/PKG-INFO": _metadata("other")}, "other-1.0.tar.gz")


def _junk_sdist(folder: Path) -> str:
    (folder / "unsound-1.0.tar.gz").write_bytes(b"junk" * 100)
    return "unsound-1.0.tar.gz"


def _sound_sdist(folder: Path) -> str:
    return _sdist(folder, {"unsound-1.0/PKG-INFO": _metadata()})


_WHEEL_FAULTS: dict[str, Callable[[Path], str]] = {
    "none": _sound,
    "other project": _other_project,
    "other version": _other_version,
    "metadata of other version": _metadata_of_other_version,
    "no wheel name": _no_wheel_name,
    "junk": _junk,
    "cut short": _cut_short,
    "half, then fails": _half_then_fails,
    "half, then killed": _half_then_killed,
    "half, then a silent exit": _silent_exit,
    "sys.exit": _hook_without_end,
    "two dist-infos": _two_infos,
    "no dist-info": _no_info,
    "no RECORD": _no_record,
    "wrong hash": _wrong_hash,
    "unlisted file": _unlisted_file,
    "missing file": _missing_file,
    "other tags": _other_tags,
    "no file": _no_file,
    "folder": _folder,
    "outside": _outside,
    "link": _link,
}
_SDIST_FAULTS: dict[str, Callable[[Path], str]] = {
    "none": _sound_sdist,
    "two top folders": _two_tops,
    "no PKG-INFO": _no_pkg_info,
    "PKG-INFO of other": _pkg_info_of_other,
    "other project": _sdist_of_other,
    "junk": _junk_sdist,
}


def _files(info: str = _INFO, name: str = "unsound", version: str = "1.0") -> dict[str, str]:
    return {f"{name}.py": "", f"{info}/METADATA": _metadata(name, version), f"{info}/WHEEL": _TAGS}


def _metadata(name: str = "unsound", version: str = "1.0") -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"


def _record(files: Mapping[str, str]) -> str:
    (info,) = {path.split("/")[0] for path in files if "/" in path}
    rows = [f"{path},sha256={_hash(text)},{len(text)}" for path, text in files.items()]
    return "\n".join([*rows, f"{info}/RECORD,,", ""])


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def _wheel(folder: Path, name: str, files: Mapping[str, str], record: str | None = "") -> str:
    contents = dict(files)
    infos = sorted({path.split("/")[0] for path in files if "/" in path})
    if record is not None and len(infos) == 1:
        contents[f"{infos[0]}/RECORD"] = record or _record(files)
    with zipfile.ZipFile(str(folder / name), "w") as wheel:
        for path, text in contents.items():
            wheel.writestr(zipfile.ZipInfo(path), text)
    return name


def _sdist(folder: Path, files: Mapping[str, str], name: str = "unsound-1.0.tar.gz") -> str:
    with tarfile.open(str(folder / name), "w:gz") as sdist:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(text)
            sdist.addfile(member, io.BytesIO(text.encode()))
    return name
