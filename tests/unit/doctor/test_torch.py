"""What torch says of itself, against the flags that are set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from passbuild.doctor import torch
from passbuild.doctor.inquiry import Unanswered
from passbuild.doctor.model import State
from tests.unit import fakes
from tests.unit.doctor import facts

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = "-D_GLIBCXX_USE_CXX11_ABI=0", "-D_GLIBCXX_USE_CXX11_ABI=1"


@pytest.mark.parametrize("name", ["CXXFLAGS", "CFLAGS", "CPPFLAGS"])
def test_flags_for_another_abi_are_a_problem(name: str) -> None:
    """Each of the variables that reach the compiler is looked at, and named."""
    (found,) = torch.abi(facts.torch(abi=True), {name: f"-O2 {OLD}"})

    assert found.state is State.PROBLEM
    assert found.fact == f"{name} asks for _GLIBCXX_USE_CXX11_ABI=0, torch was built with 1: they do not link"
    assert found.cure == f"take {OLD} out of {name}"


@pytest.mark.parametrize(
    ("flags", "own"),
    [("-O2", True), (NEW, True), (OLD, False), (f"{OLD} {NEW}", True), ("-D _GLIBCXX_USE_CXX11_ABI=1", True)],
)
def test_flags_for_torchs_own_abi_are_fine(flags: str, *, own: bool) -> None:
    """The last of several counts, as for the compiler; without any there is nothing to compare."""
    (found,) = torch.abi(facts.torch(abi=own), {"CXXFLAGS": flags})

    assert found.state is State.OK


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "2.6.0+cu124, built with CUDA 12.4; sees no GPU"),
        ({"devices": ("H200 (9.0)", "A100 (8.0)")}, "2.6.0+cu124, built with CUDA 12.4; sees H200 (9.0), A100 (8.0)"),
        ({"cuda": "", "hip": "6.2", "version": "2.6+rocm6.2"}, "2.6+rocm6.2, built with ROCm (HIP 6.2); sees no GPU"),
        ({"cuda": "", "version": "2.6.0+cpu"}, "2.6.0+cpu, built with no CUDA and no ROCm"),
    ],
)
def test_torchs_making_is_told(changes: dict[str, object], told: str, tmp_path: Path) -> None:
    """One line says what it was built with and, where it could use one, which GPU it sees."""
    found = next(iter(torch.findings(facts.scene(tmp_path), facts.torch(**changes))))

    assert (found.subject, found.state, found.fact) == ("torch", State.OK, told)


def test_a_torch_that_does_not_answer_is_a_problem_where_it_passes_through(tmp_path: Path) -> None:
    """Where it does not, somebody else may have to mend it."""
    reason = Unanswered(reason="ImportError: libcudart.so.12: cannot open shared object file")
    project = fakes.project("torch")

    (alone,) = torch.findings(facts.scene(tmp_path), reason)
    (required,) = torch.findings(facts.scene(tmp_path, project=project), reason)

    assert (alone.state, required.state) == (State.PROBLEM, State.WARNING)
    assert "libcudart.so.12" in alone.fact


@pytest.mark.parametrize(
    ("requires", "passthrough", "is_asked"),
    [(None, (), True), (("torch",), (), True), ((), ("torch",), True), (("numpy",), (), False)],
)
def test_torch_is_looked_at_where_it_has_to_do_with_the_build(
    requires: tuple[str, ...] | None, passthrough: tuple[str, ...], *, is_asked: bool, tmp_path: Path
) -> None:
    """It is on the host, and passes through, or is required, or there is no project."""
    from passbuild.plan.decide import decided

    host = fakes.host(fakes.distribution("torch"))
    project = None if requires is None else fakes.project(*requires)
    plan = decided(project, fakes.settings(passthrough=passthrough), host) if project else None
    looked_at = facts.scene(tmp_path, host=host, project=project, plan=plan)

    assert looked_at.concerns(fakes.distribution("torch").name) == is_asked
