"""nox: the wheel is built by passbuild against the numpy of the session's environment, and tested there."""

import os

import nox

nox.options.default_venv_backend = "venv"
PASSBUILD = os.environ["TOOL_PACKAGE"]
"""Where passbuild comes from: what pip installs, such as a folder, a wheel or a URL."""


@nox.session
@nox.parametrize("numpy", ["2.2.*", "2.3.*"])
def tests(session: nox.Session, numpy: str) -> None:
    session.install(PASSBUILD, f"numpy=={numpy}")
    session.run("passbuild", "install", ".", "--host", session.virtualenv.location, "--check-import")
    session.run("python", "-c", "import array_ops; print(array_ops.total([1, 2, 3]), array_ops.built_with)")
