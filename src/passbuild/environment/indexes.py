"""Say to both installers where packages are looked for, beside their own configuration.

One index is named by variables, which win over configuration files. What adds to the user's own stands in a
requirements file: there both installers add it, where an option or a variable would hide what their files say. Neither
way shows credentials to whoever lists processes.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild import reading
from passbuild.errors import InvalidSettings, Mistake

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping

    from passbuild.settings.model import Settings

_OFFLINE = {"UV_OFFLINE": "1", "PIP_NO_INDEX": "1", "PIP_PROXY": "http://127.0.0.1:9", "PIP_RETRIES": "0"}
"""pip has no such setting: a proxy that nobody is keeps it from the network."""
_OURS = ("extra-build-dependencies", "extra-build-variables")
_KEPT = (
    *("index", "index-url", "extra-index-url", "find-links", "no-index", "index-strategy", "keyring-provider"),
    *("allow-insecure-host", "native-tls", "system-certs", "offline", "cache-dir", "no-cache", "link-mode"),
    *("exclude-newer", "prerelease", "resolution", "python-downloads", "python-preference", "http-proxy"),
    *("https-proxy", "no-proxy", "concurrent-builds", "concurrent-downloads", "concurrent-installs", "pip"),
    *("constraint-dependencies", "override-dependencies", "no-binary", "no-binary-package", "no-build"),
    "no-build-package",
)
"""What counts for installing build requirements, of all that a project's configuration of uv may hold."""
_PATHS = {"UV_FIND_LINKS": ",", "UV_CONSTRAINT": " ", "UV_OVERRIDE": " ", "UV_CACHE_DIR": ""}
"""Variables of uv that hold paths, and what stands between several."""


def variables(settings: Settings, environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the variables, for installers alone, that say what the settings do of the one index and of none."""
    made: dict[str, str] = {}
    if settings.index_url is not None:
        made |= dict.fromkeys(("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), settings.index_url.value)
    if settings.extra_index_url and "UV_INDEX_STRATEGY" not in environ:
        made["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # as pip does, which knows no other way
    if settings.no_index.value:
        made["PIP_NO_INDEX"] = "1"
    if settings.offline.value:
        made |= _OFFLINE
    return tuple(made.items())


def lines(settings: Settings) -> tuple[str, ...]:
    """Return the lines of a requirements file that name further indexes and places."""
    links = [item.value if "://" in item.value else Path(item.value).as_uri() for item in settings.find_links]
    extra = [item.value for item in settings.extra_index_url]
    return (*(f"--extra-index-url {url}" for url in extra), *(f"--find-links {place}" for place in links))


def uv_folder(scratch: Path, cwd: Path, environ: Mapping[str, str]) -> Path | None:
    """Return where uv has to be started instead of in `cwd`; None where that is as good as any.

    What a project's configuration of uv says of building others is ours to do, and uv would try it, too: a
    ``match-runtime`` entry fails where the package is not part of what uv installs. So uv gets a configuration without.
    """
    if environ.get("UV_CONFIG_FILE") or environ.get("UV_NO_CONFIG"):
        return None
    for folder in (cwd, *cwd.parents):
        table = _uv_table(folder)
        if table is not None:
            return _written(table, scratch, folder) if any(name in table for name in _OURS) else None
    return None


def absolute(environ: Mapping[str, str], cwd: Path) -> dict[str, str]:
    """Return the variables of uv whose paths are relative to `cwd`, for a uv that starts elsewhere."""
    made = {}
    for name, separator in _PATHS.items():
        value = environ.get(name, "")
        parts = [part for part in (value.split(separator) if separator else [value]) if part]
        if parts:
            made[name] = separator.join(part if "://" in part else str(cwd / part) for part in parts)
    return made


def _uv_table(folder: Path) -> Mapping[str, object] | None:
    """Return the configuration of uv in a folder; None where there is none, or none that can be read.

    Raises InvalidSettings for what is no file: uv would wait for it.
    """
    for name, path in (("uv.toml", ()), ("pyproject.toml", ("tool", "uv"))):
        try:
            table: object = tomllib.loads(reading.text(folder / name))
        except OSError as error:
            if error.errno == errno.EINVAL:
                problem = f"cannot be read: {error.strerror}"
                raise InvalidSettings(mistakes=[Mistake(place=str(folder / name), problem=problem)]) from error
            continue
        except ValueError:
            continue
        for part in path:
            table = table.get(part) if isinstance(table, dict) else None
        if isinstance(table, dict):
            return table
    return None


def _written(table: Mapping[str, object], scratch: Path, base: Path) -> Path:
    """Write a configuration with what counts for installing; its paths were relative to `base`."""
    import tomli_w

    folder = scratch / "uv"
    folder.mkdir(exist_ok=True)
    kept = {name: _based(name, table[name], base) for name in _KEPT if name in table}
    (folder / "uv.toml").write_text(tomli_w.dumps(kept), encoding="utf-8")
    return folder


def _based(name: str, value: object, base: Path) -> object:
    """Return a value with the relative paths of places made absolute."""
    if isinstance(value, dict):
        return {key: _based(key, item, base) for key, item in value.items()}
    if isinstance(value, list):
        return [_based(name, item, base) for item in value]
    is_path = name in {"find-links", "url", "index-url", "extra-index-url", "cache-dir"}
    if is_path and isinstance(value, str) and "://" not in value and not os.path.isabs(value):  # noqa: PTH117 - a text
        return str(base / value)
    return value
