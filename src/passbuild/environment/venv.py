"""Create the isolated virtual environment from the host's interpreter, with nothing in it."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild.errors import HostUnusable, SystemRefused
from passbuild.surroundings import home
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from passbuild.host.model import Host


@frozen
class Venv:
    """The paths of a virtual environment."""

    folder: Path
    python: Path
    site_packages: Path
    scripts: Path


def create(host: Host, folder: Path, environ: Mapping[str, str]) -> Venv:
    """Create an empty environment in `folder`, which must not exist.

    Raises HostUnusable; for what is no fault of the host, OSError.
    """
    import virtualenv  # slow to import, and a stored environment needs none of it

    for path in map(str, (host.executable, folder)):
        if path.encode(errors="replace").decode() != path:
            raise HostUnusable(executable=host.executable, problem=f"virtualenv takes only Unicode, not {path!r}")
    arguments = ["--no-seed", "--no-periodic-update", "--no-vcs-ignore", "--activators", "", "--python"]
    # VIRTUALENV_* variables are the user's for environments of their own; they do not shape ours.
    quiet = {name: value for name, value in environ.items() if not name.startswith("VIRTUALENV_")}
    # virtualenv runs the host's interpreter: it must not leave byte code there, and what a sitecustomize of the host
    # prints is repeated on our standard output, which belongs to the result.
    quiet["PYTHONDONTWRITEBYTECODE"] = "1"
    if home(environ) is None:
        quiet["VIRTUALENV_OVERRIDE_APP_DATA"] = str(folder.with_name(f"{folder.name}-virtualenv"))
        quiet["VIRTUALENV_CONFIG_FILE"] = os.devnull
    arguments += [str(host.executable), str(folder)]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            session = virtualenv.cli_run(arguments, setup_logging=False, env=quiet)
    except (RuntimeError, SystemExit, OSError) as error:
        if isinstance(error, OSError) and SystemRefused.of(error) is not None:
            raise  # no fault of the host
        raise HostUnusable(executable=host.executable, problem=f"virtualenv cannot use it: {error}") from error
    creator = session.creator
    return Venv(
        folder=folder,
        python=Path(str(creator.exe)),
        site_packages=Path(str(creator.purelib)),
        scripts=Path(str(creator.script_dir)),
    )
