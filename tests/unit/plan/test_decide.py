"""The decision table, as values in and values out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from passbuild.host.model import DirectUrl
from passbuild.plan.decide import decided
from passbuild.plan.model import Action, Plan
from passbuild.settings.model import Setting
from tests.unit.fakes import SITE, distribution, host, project, settings

if TYPE_CHECKING:
    from passbuild.host.model import Host


def action(plan: Plan, name: str) -> Action:
    """Return what the plan does with a name."""
    (decision,) = (item for item in plan.decisions if item.name == name)
    return decision.action


def passed(plan: Plan) -> list[str]:
    """Return the names of what passes through."""
    return [item.distribution.name for item in plan.passed]


def install(plan: Plan) -> list[str]:
    """Return what the installer is asked for."""
    return [str(item) for item in plan.install]


def test_fitting_package_is_pinned_and_passed() -> None:
    """A named package whose version fits passes through, and the installer is held to that version."""
    on_host = host(distribution("torch", "2.13.0+cpu"))

    plan = decided(project("torch>=2", "setuptools"), settings(passthrough=["torch"]), on_host)

    assert action(plan, "torch") is Action.PASS
    assert install(plan) == ["setuptools", "torch==2.13.0+cpu"]


@pytest.mark.parametrize(
    ("version", "requirement"),
    [("2.6.0+cu124", "torch==2.6.0"), ("2.7.0.dev20260101", "torch>=2.6"), ("2.7.0rc1", "torch>2.6")],
)
def test_local_and_pre_release_versions_fit(version: str, requirement: str) -> None:
    """A local label and a pre-release of the host fit as they are."""
    plan = decided(project(requirement), settings(passthrough=["torch"]), host(distribution("torch", version)))

    assert action(plan, "torch") is Action.PASS


def test_undeclared_package_passes_all_the_same() -> None:
    """A project that never declares the package gets it."""
    plan = decided(project("setuptools"), settings(passthrough=["torch"]), host(distribution("torch")))

    assert passed(plan) == ["torch"]
    assert "does not declare it" in plan.decisions[1].reason


def test_dynamic_requirement_counts_as_declared() -> None:
    """What a hook requires is checked against the host like a static requirement."""
    dynamic = [Setting(value=Requirement("torch>=3"), origin="get_requires_for_build_wheel")]

    plan = decided(project(), settings(passthrough=["torch"]), host(distribution("torch", "2.0")), dynamic)

    assert plan.mismatches[0].wanted == "torch>=3 (get_requires_for_build_wheel)"


def test_mismatch_is_refused_with_wanted_found_and_where() -> None:
    """By default a version that does not fit stops the build."""
    on_host = host(distribution("numpy", "1.26.4"))

    plan = decided(project("numpy>=2"), settings(passthrough=["numpy"]), on_host)

    (problem,) = plan.mismatches
    assert action(plan, "numpy") is Action.REFUSE
    assert problem.wanted == "numpy>=2 (build-system.requires)"
    assert problem.found == f"1.26.4 in {SITE}"
    assert "--on-mismatch" in problem.hint


def test_requirement_of_the_naming_itself_can_mismatch() -> None:
    """`--passthrough 'numpy>=2'` is a requirement, too."""
    plan = decided(project("numpy"), settings(passthrough=["numpy>=2"]), host(distribution("numpy", "1.26.4")))

    assert plan.mismatches[0].wanted == "numpy>=2 (--passthrough)"


def test_mismatch_can_be_installed_as_if_it_were_not_there() -> None:
    """With on-mismatch install neither the package nor its closure comes from the host."""
    on_host = host(distribution("numpy", "1.26.4", "member"), distribution("member"))

    plan = decided(project("numpy>=2"), settings(passthrough=["numpy"], on_mismatch="install"), on_host)

    assert action(plan, "numpy") is Action.INSTALL
    assert passed(plan) == []
    assert install(plan) == ["numpy>=2"]


@pytest.mark.parametrize("on_host", [host(), host(distribution("numpy", "2.4"))], ids=["missing", "mismatch"])
def test_requirement_of_the_naming_holds_for_what_is_installed_instead(on_host: Host) -> None:
    """`--passthrough 'numpy<2'` that cannot be had from the host is not met by any other numpy."""
    plan = decided(project("numpy"), settings(passthrough=["numpy<2"], on_mismatch="install"), on_host)

    assert install(plan) == ["numpy", "numpy<2"]


def test_mismatch_can_be_set_aside() -> None:
    """With on-mismatch host the host's copy is used, the specifier is dropped and said."""
    on_host = host(distribution("numpy", "1.26.4"))

    plan = decided(project("numpy>=2"), settings(passthrough=["numpy"], on_mismatch="host"), on_host)

    assert install(plan) == ["numpy==1.26.4"]
    assert plan.dropped == ("numpy>=2 (build-system.requires)",)
    assert len(plan.warnings) == 1


def test_missing_declared_package_is_installed() -> None:
    """What is not on the host is downloaded as usual."""
    plan = decided(project("torch>=2"), settings(passthrough=["torch"]), host())

    assert action(plan, "torch") is Action.INSTALL
    assert install(plan) == ["torch>=2"]
    assert plan.warnings == ()


def test_missing_undeclared_package_is_a_warning() -> None:
    """A name that neither host nor project knows is said, and changes nothing."""
    plan = decided(project("setuptools"), settings(passthrough=["torhc"]), host())

    assert action(plan, "torhc") is Action.SKIP
    assert install(plan) == ["setuptools"]
    assert "torhc" in plan.warnings[0]


@pytest.mark.parametrize("requires", [["torch"], ["setuptools"]])
def test_missing_package_is_refused_where_that_is_asked(requires: list[str]) -> None:
    """With on-missing error a missing package stops the build, declared or not."""
    plan = decided(project(*requires), settings(passthrough=["torch"], on_missing="error"), host())

    assert plan.missing[0].name == "torch"
    assert action(plan, "torch") is Action.REFUSE


def test_the_project_itself_is_never_passed() -> None:
    """A package that lies on the host does not take part in its own build, not even as a closure member."""
    on_host = host(distribution("project"), distribution("user", "1.0", "project>=1"))

    plan = decided(project(), settings(passthrough=["project", "user"]), on_host)

    assert action(plan, "project") is Action.SKIP
    assert passed(plan) == ["user"]
    assert plan.passed[0].left_out == ("project>=1",)


def test_closure_comes_along_by_markers_and_extras() -> None:
    """What the passed package needs at run time on this host comes along; other platforms' and extras' needs do not."""
    on_host = host(
        distribution("a", "1", "b", "c; sys_platform == 'win32'", "d; extra == 'x'"),
        distribution("b", "1", "e"),
        distribution("c"),
        distribution("d"),
        distribution("e"),
    )

    plain = decided(project(), settings(passthrough=["a"]), on_host)
    with_extra = decided(project(), settings(passthrough=["a[x]"]), on_host)

    assert passed(plain) == ["a", "b", "e"]
    assert passed(with_extra) == ["a", "b", "d", "e"]
    assert install(with_extra) == ["a[x]==1"]
    assert [item.needed_by for item in plain.passed] == [(), ("a",), ("b",)]


def test_extras_of_itself_are_followed() -> None:
    """`a[all]` that requires `a[x]` reaches what `x` adds."""
    on_host = host(
        distribution("a", "1", "a[x]; extra == 'all'", "d; extra == 'x'"),
        distribution("d", "1", "a"),
        distribution("e"),
    )

    assert passed(decided(project(), settings(passthrough=["a[all]"]), on_host)) == ["a", "d"]


def test_declared_closure_member_is_installed_in_isolation() -> None:
    """Torch needs setuptools; that does not decide which setuptools builds the project."""
    on_host = host(distribution("torch", "2", "setuptools"), distribution("setuptools", "60"))

    plan = decided(project("setuptools>=61", "torch"), settings(passthrough=["torch"]), on_host)

    assert passed(plan) == ["torch"]
    assert install(plan) == ["setuptools>=61", "torch==2"]
    assert plan.passed[0].left_out == ()


def test_missing_closure_member_is_a_warning_and_no_download() -> None:
    """The stand-in leaves out what the host lacks, so that nothing is downloaded of its own accord."""
    plan = decided(project(), settings(passthrough=["a"]), host(distribution("a", "1", "lacking>=2")))

    assert plan.passed[0].left_out == ("lacking>=2",)
    assert install(plan) == ["a==1"]
    assert "lacking" in plan.warnings[0]


def test_marker_of_the_naming_decides() -> None:
    """A naming whose marker is false on the host does not concern this build."""
    plan = decided(project("a"), settings(passthrough=["a; python_version < '3'"]), host(distribution("a")))

    assert passed(plan) == []
    assert install(plan) == ["a"]


def test_requirement_with_a_false_marker_is_not_installed() -> None:
    """A build requirement for another Python is neither checked nor handed to the installer."""
    plan = decided(project("a>=9; python_version < '3'"), settings(passthrough=["a"]), host(distribution("a")))

    assert install(plan) == ["a==1.0"]


ARCHIVE = DirectUrl(url="https://x/a.whl", hashes={"sha256": "00"})
BRANCH = DirectUrl(url="https://x/a.git", vcs="git", revision="main", commit="c0ffee", hashes={})
DEFAULT = DirectUrl(url="https://x/a", vcs="git", commit="c0ffee", hashes={})
BELOW = DirectUrl(url="https://x/a", vcs="git", commit="c0ffee", subdirectory="python", hashes={})


@pytest.mark.parametrize(
    ("wanted", "recorded", "is_met"),
    [
        ("https://x/a.whl", None, False),
        ("https://x/a.whl", ARCHIVE, True),
        ("https://x/a.whl#sha256=00", ARCHIVE, True),
        ("https://x/a.whl#sha256=11", ARCHIVE, False),
        ("https://x/a.whl#sha256=00", DirectUrl(url="https://x/a.whl", hashes={}), False),
        ("https://x/b.whl", ARCHIVE, False),
        ("https://user:secret@x/a.whl", ARCHIVE, True),
        ("git+https://x/a.git@main", BRANCH, True),
        ("git+https://x/a.git@c0ffee", BRANCH, True),
        ("git+https://x/a.git@other", BRANCH, False),
        ("git+https://x/a.git", BRANCH, False),
        ("https://x/a.git", BRANCH, False),
        ("hg+https://x/a.git@main", BRANCH, False),
        ("git+https://x/a", DEFAULT, True),
        ("git+https://x/a@c0ffee", DEFAULT, True),
        ("git+https://token@x/a/", DEFAULT, True),
        ("git+https://x/a#subdirectory=python", DEFAULT, False),
        ("git+https://x/a#subdirectory=python", BELOW, True),
        ("git+https://x/a", BELOW, False),
    ],
)
def test_url_requirement_needs_the_same_origin(wanted: str, recorded: DirectUrl | None, *, is_met: bool) -> None:
    """`a @ URL` is met by a host copy only when its direct_url.json says the same (PEP 610)."""
    on_host = host(distribution("a", "1", direct_url=recorded))

    plan = decided(project(f"a @ {wanted}"), settings(passthrough=["a"]), on_host)

    assert action(plan, "a") is (Action.PASS if is_met else Action.REFUSE)


def test_version_outside_pep_440_is_refused() -> None:
    """A package without a usable version cannot be pinned; that is said with its place."""
    plan = decided(project("a"), settings(passthrough=["a"]), host(distribution("a", "today")))

    assert "'today'" in plan.mismatches[0].found


def test_same_values_make_the_same_plan() -> None:
    """The order in which names are given changes nothing but the origins' order."""
    on_host = host(distribution("a", "1", "c"), distribution("b", "1", "c"), distribution("c"))

    one = decided(project("x", "y"), settings(passthrough=["a", "b"]), on_host)
    two = decided(project("y", "x"), settings(passthrough=["b", "a"]), on_host)

    assert one == two
