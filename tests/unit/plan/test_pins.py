"""What a wheel requires of what it was built against holds for that version, and for no other series."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from passbuild.plan.model import Passed
from passbuild.plan.pins import Hints, bounds, contradictions, hints, pins
from passbuild.settings.model import Pin
from tests.unit import fakes

TABLE = {
    "2.13.0": ("==2.13.0", ">=2.13.0,<2.14", ">=2.13.0,<3"),
    "2.13.0+cpu": ("==2.13.0", ">=2.13.0,<2.14", ">=2.13.0,<3"),
    "2.13": ("==2.13", ">=2.13,<2.14", ">=2.13,<3"),
    "2": ("==2", ">=2,<2.1", ">=2,<3"),
    "0": ("==0", ">=0,<0.1", ">=0,<1"),
    "0.0.7": ("==0.0.7", ">=0.0.7,<0.1", ">=0.0.7,<1"),
    "1.2.3.4": ("==1.2.3.4", ">=1.2.3.4,<1.3", ">=1.2.3.4,<2"),
    "2024.1": ("==2024.1", ">=2024.1,<2024.2", ">=2024.1,<2025"),
    "1!2.13.0": ("==1!2.13.0", ">=1!2.13.0,<1!2.14", ">=1!2.13.0,<1!3"),
    "1!2+x.1": ("==1!2", ">=1!2,<1!2.1", ">=1!2,<1!3"),
    "2.13.0rc1": ("==2.13.0rc1", ">=2.13.0rc1,<2.14", ">=2.13.0rc1,<3"),
    "2.13.0-RC.1": ("==2.13.0rc1", ">=2.13.0rc1,<2.14", ">=2.13.0rc1,<3"),
    "3.0.dev20260101+cu124": ("==3.0.dev20260101", ">=3.0.dev20260101,<3.1", ">=3.0.dev20260101,<4"),
    "2.13.0.post1": ("==2.13.0.post1", ">=2.13.0.post1,<2.14", ">=2.13.0.post1,<3"),
    "1!2a1.post2.dev3+l": ("==1!2a1.post2.dev3", ">=1!2a1.post2.dev3,<1!2.1", ">=1!2a1.post2.dev3,<1!3"),
}
CASES = [
    (version, pin, text) for version, texts in TABLE.items() for pin, text in zip(list(Pin)[1:], texts, strict=True)
]
NAMED = Passed(distribution=fakes.distribution("engine", "2.6.1+cu124"), named=True, needed_by=())
NUMBERS = st.integers(min_value=0, max_value=3000)


@st.composite
def versions(draw: st.DrawFn) -> Version:
    """Draw a version with any of the parts that PEP 440 knows."""
    epoch = draw(st.sampled_from(["", "", "1!"]))
    release = ".".join(map(str, draw(st.lists(NUMBERS, min_size=1, max_size=5))))
    rest = [
        draw(st.sampled_from(texts)) for texts in (["", "a1", "rc2"], ["", ".post3"], ["", ".dev4"], ["", "+cpu.5"])
    ]
    return Version(epoch + release + "".join(rest))


def passed(name: str, version: str = "1.0", *, named: bool = True) -> Passed:
    """Return a passed package."""
    return Passed(distribution=fakes.distribution(name, version), named=named, needed_by=())


@pytest.mark.parametrize(("version", "pin", "text"), CASES)
def test_bounds(version: str, pin: Pin, text: str) -> None:
    """The public version; the series that its first or its first two numbers name."""
    assert bounds(Version(version), pin) == text


@settings(derandomize=True, database=None, deadline=None)
@given(version=versions(), pin=st.sampled_from([Pin.EXACT, Pin.PATCH, Pin.MINOR]))
def test_bounds_hold_the_version_and_none_of_the_next_series(version: Version, pin: Pin) -> None:
    """As `packaging` decides it: pre-releases of the next series, and of the one after it, are out too."""
    specifier = SpecifierSet(bounds(version, pin))
    epoch = f"{version.epoch}!" if version.epoch else ""
    major = f"{epoch}{version.major + 1}.0"
    minor = f"{epoch}{version.major}.{version.minor + 1}"
    later = [f"{major}{rest}" for rest in ("", "a1", ".dev1", ".1", "+cpu")]
    later += [] if pin is Pin.MINOR else [f"{minor}{rest}" for rest in ("", "a1", ".dev1", ".1", "+cpu")]

    assert specifier.contains(version)
    assert specifier.contains(version.public)
    assert not any(specifier.contains(item, prereleases=True) for item in later)
    assert "+" not in str(specifier)


def test_pins_are_for_named_packages_alone() -> None:
    """Sorted by name, whatever the order of the plan; a closure member belongs to those that need it."""
    items = [passed("turbo", "3.1"), passed("fuel", named=False), passed("engine", "2.6.1+cu124")]

    assert pins(items, Pin.EXACT) == ("engine==2.6.1", "turbo==3.1")
    assert pins(items, Pin.NONE) == ()


@pytest.mark.parametrize(
    "stated",
    [
        "engine",
        "engine>=2",
        "Engine==2.6.1",
        "engine==2.6.1+cu124",
        "engine<2; sys_platform == 'nowhere'",
        "engine<2; extra == 'old'",
        "engine<2; extra == 'old' and sys_platform == 'linux'",
        "other<2",
    ],
)
def test_a_requirement_that_allows_the_hosts_version_is_no_contradiction(stated: str) -> None:
    """Nor is one that does not count on the host, or counts with an extra alone."""
    assert contradictions([Requirement(stated)], [NAMED], fakes.MARKERS) == ()


@pytest.mark.parametrize(
    "stated",
    [
        "engine<2",
        "ENGINE==2.6.0",
        "engine==2.6.1+cpu",
        "engine<2; sys_platform == 'linux'",
        "engine<2; extra == 'old' or sys_platform == 'linux'",
        "engine @ https://example.org/engine-2.6.1.zip",
    ],
)
def test_a_requirement_that_does_not_allow_the_hosts_version_is_a_contradiction(stated: str) -> None:
    """It is told as it is written, with what was found where."""
    (problem,) = contradictions([Requirement("fuel"), Requirement(stated)], [NAMED], fakes.MARKERS)

    assert problem.name == "engine"
    assert problem.wanted == f"{Requirement(stated)} (Requires-Dist)"
    assert problem.found == f"2.6.1+cu124 in {fakes.SITE}"
    assert "--pin none" in problem.hint


def test_a_requirement_of_a_closure_member_contradicts_nothing() -> None:
    """Nothing is pinned to it."""
    assert contradictions([Requirement("fuel<1")], [passed("fuel", named=False)], fakes.MARKERS) == ()


@pytest.mark.parametrize(
    ("items", "tag", "label"),
    [
        ([passed("torch", "2.13.0+cpu")], "1_torch2.13.0.cpu", "torch2.13.0.cpu"),
        ([passed("torch", "2.13"), passed("numpy", "2.4.6")], "1_numpy2.4.6_torch2.13", "numpy2.4.6.torch2.13"),
        ([passed("flash-attn", "1!2.0.post1")], "1_flash.attn1.2.0.post1", "flash.attn1.2.0.post1"),
        ([passed("zero-007", "0.1")], "1_zero.0070.1", "zero.70.1"),
        ([passed("b"), passed("a", named=False)], "1_b1.0", "b1.0"),
    ],
)
def test_hints(items: list[Passed], tag: str, label: str) -> None:
    """Names and versions of the named packages, in the characters that file names and versions may have."""
    assert hints(items) == Hints(build_tag=tag, local_version=label)


def test_without_a_named_package_there_are_no_hints() -> None:
    """A closure alone does not happen, and nothing at all does."""
    assert hints([]) is None
    assert hints([passed("fuel", named=False)]) is None


@settings(derandomize=True, database=None, deadline=None)
@given(
    names=st.lists(st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True), min_size=1, max_size=3, unique=True),
    version=versions(),
)
def test_hints_are_valid_where_they_are_to_be_written(names: list[str], version: Version) -> None:
    """A wheel's file name and a version are read as they were written."""
    found = hints([passed(name, str(version)) for name in names])

    assert found is not None
    build = parse_wheel_filename(f"sample-1.0-{found.build_tag}-py3-none-any.whl")[2]
    assert "".join(map(str, build)) == found.build_tag
    assert str(Version(f"1.0+{found.local_version}")) == f"1.0+{found.local_version}"
