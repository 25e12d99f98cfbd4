"""Of a failed installer's output the conclusion is told, not the whole of it."""

from __future__ import annotations

from pathlib import Path

from packaging.version import Version

from passbuild.environment import installers


def test_uv_concludes_from_its_error_line() -> None:
    """Progress before the error is left out."""
    output = ["Using Python 3.11", "error: No solution found", "  cause: Because a>1 and a<1", "    it cannot be."]

    assert installers.Uv(program=Path("uv")).conclusion(output) == output[1:]


def test_pip_concludes_with_who_wants_what() -> None:
    """Its general advice is left out."""
    output = [
        "Collecting a",
        "ERROR: Cannot install a<1 and a>1",
        "",
        "The conflict is caused by:",
        "    The user requested a<1",
        "To fix this you could try to:",
        "1. loosen the range",
    ]

    assert installers.Pip(before=(), version=Version("26.0")).conclusion(output) == [
        "ERROR: Cannot install a<1 and a>1",
        "The conflict is caused by:",
        "The user requested a<1",
    ]


def test_output_without_an_error_line_is_told_from_its_end() -> None:
    """A crash shows its last lines."""
    assert installers.Pip(before=(), version=Version("26.0")).conclusion(["first", "", "killed"]) == ["first", "killed"]


def test_installer_is_not_sent_elsewhere_and_sees_no_host() -> None:
    """Variables that name another target, or show packages of the host, are kept away; the rest stays the user's."""
    environ = {"PIP_TARGET": "x", "UV_PREFIX": "x", "PYTHONPATH": "x", "VIRTUAL_ENV": "x", "PIP_INDEX_URL": "mine"}
    environ["PASSBUILD_INDEX_URL"] = "x"

    kept = installers.environ_for(environ)

    assert not {"PIP_TARGET", "UV_PREFIX", "PYTHONPATH", "VIRTUAL_ENV", "PASSBUILD_INDEX_URL"} & kept.keys()
    assert kept["PIP_INDEX_URL"] == "mine"
