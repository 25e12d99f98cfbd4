"""The picture of a plan: a tree of what comes from the host, what is installed and why, what does not fit."""

from __future__ import annotations

from pathlib import Path

from passbuild.cli import picture
from passbuild.plan.decide import decided
from passbuild.report import Report
from passbuild.values import replace
from tests.unit.fakes import distribution, host, project, settings

_TORCH = distribution("torch", "2.13.0+cpu", "sympy", "jinja2")
_HOST = host(
    replace(_TORCH, size=800_000_000),
    distribution("sympy", "1.14.0", "mpmath"),
    distribution("mpmath", "1.3.0"),
    distribution("jinja2", "3.1", "markupsafe"),
    distribution("markupsafe", "3.0"),
    replace(distribution("mine", "0.1"), location=Path("/src/mine"), editable=True),
    distribution("setuptools", "84.0"),
)


def _shown(*requires: str, **given: object) -> list[str]:
    set_to = settings(**given)
    plan = decided(project(*requires), set_to, _HOST)
    report = Report(command="plan", source=".", settings=set_to, host=_HOST, plan=plan)
    return ["".join(part for part, _ in line) for line in picture.lines(report, plan)]


def test_what_passes_is_a_tree_with_versions_and_sizes() -> None:
    """Each member of the closure stands once, below what needs it; where most of it lies is said once."""
    shown = _shown("torch", "setuptools>=61", passthrough=["torch", "mine"])

    begin = next(index for index, line in enumerate(shown) if line.startswith("from the host"))
    assert shown[begin : begin + 12] == [
        "from the host, /host/lib/python3.11/site-packages",
        "├─ mine 0.1  10 B, editable, /src/mine",
        "│     named; the project does not declare it",
        "│     named by: --passthrough",
        "└─ torch 2.13.0+cpu  800 MB",
        "   │  named, and it meets what the project requires",
        "   │  named by: --passthrough",
        "   ├─ jinja2 3.1  10 B",
        "   │  └─ markupsafe 3.0  10 B",
        "   └─ sympy 1.14.0  10 B",
        "      └─ mpmath 1.3.0  10 B",
        "800 MB are used where they are: neither downloaded nor copied",
    ]


def test_what_is_installed_says_why() -> None:
    """Also that the host has it, and nobody named it."""
    shown = _shown("torch", "setuptools>=61", passthrough=["torch"])

    begin = shown.index("installed into the build environment")
    assert shown[begin + 1 : begin + 4] == [
        "  setuptools  required by the project and not named to pass through",
        "    wanted: setuptools>=61 (build-system.requires)",
        "    on the host: 84.0",
    ]


def test_what_does_not_fit_is_shown_first_with_wanted_and_found() -> None:
    """A mismatch is why somebody looks."""
    shown = _shown("torch<2", passthrough=["torch"])

    begin = shown.index("refused")
    assert begin == 2
    assert shown[begin + 1 : begin + 4] == [
        "✗ torch  the host's version does not fit",
        "    wanted: torch<2 (build-system.requires)",
        "    found:  2.13.0+cpu in /host/lib/python3.11/site-packages",
    ]
