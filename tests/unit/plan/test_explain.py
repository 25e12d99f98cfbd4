"""Why one package comes from where it comes from."""

from __future__ import annotations

from passbuild.plan.decide import decided
from passbuild.plan.explain import Explanation, explanation
from tests.unit.fakes import distribution, host, project, settings

_HOST = host(
    distribution("torch", "2.13.0+cpu", "sympy", "setuptools", "absent"),
    distribution("sympy", "1.14.0", "mpmath"),
    distribution("mpmath", "1.3.0"),
    distribution("setuptools", "84.0"),
    distribution("bystander", "1.0"),
)


def _explained(name: str, *, no_passthrough: tuple[str, ...] = ()) -> Explanation:
    set_to = settings(passthrough=["torch", "Gone"], no_passthrough=list(no_passthrough))
    plan = decided(project("torch>=2", "setuptools>=61"), set_to, _HOST)
    return explanation(name, plan, set_to, _HOST)


def test_a_named_package_is_explained_by_its_decision() -> None:
    """Wanted, found, and who named it; in whatever spelling it is asked for."""
    found = _explained("Torch")

    assert found.name == "torch"
    assert found.answer == "comes from the host: named, and it meets what the project requires"
    assert "wanted: torch>=2 (build-system.requires)" in found.facts
    assert "on the host: 2.13.0+cpu" in found.facts
    assert "named by: --passthrough" in found.facts


def test_a_member_of_the_closure_is_explained_by_the_way_to_it() -> None:
    """From the package that was named, on the shortest way."""
    found = _explained("mpmath")

    assert found.answer == "comes from the host: a package that passes through needs it"
    assert any(fact.startswith("torch needs sympy needs mpmath: ") for fact in found.facts)


def test_what_the_project_requires_and_nobody_names_is_installed_though_a_passed_package_needs_it() -> None:
    """The rule that surprises people is said where it applies."""
    found = _explained("setuptools")

    assert found.answer == (
        "is installed into the build environment: required by the project and not named to pass through"
    )
    assert any(fact.startswith("torch of the host may need it too, but ") for fact in found.facts)


def test_what_only_lies_on_the_host_stays_there() -> None:
    """It says how to take it from there."""
    found = _explained("bystander")

    assert found.answer.startswith("is not in the build environment")
    assert "to take it from there: --passthrough bystander" in found.facts


def test_what_was_taken_away_says_by_whom() -> None:
    """`no-passthrough` may stand in a file that nobody thinks of."""
    found = _explained("torch", no_passthrough=("torch",))

    assert found.answer.startswith("is installed into the build environment: ")
    assert "no-passthrough takes it away: --no-passthrough" in found.facts


def test_a_mistyped_name_is_corrected() -> None:
    """By what the host has."""
    found = _explained("bystandr")

    assert found.answer == "is neither named, nor required, nor installed on the host"
    assert "did you mean bystander?" in found.facts
