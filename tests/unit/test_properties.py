"""What holds for the plan of any project on any host: drawn, and compared with what is simpler and slower.

`EXACTNESS_EXAMPLES=2000` runs that many random examples in place of the few fixed ones.
"""

from __future__ import annotations

import dataclasses
import os
import re
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from passbuild.plan.closure import closure
from passbuild.plan.decide import decided
from passbuild.plan.model import Action
from passbuild.values import replace
from tests.unit import fakes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from hypothesis.strategies import DrawFn
    from packaging.utils import NormalizedName

    from passbuild.host.model import Host
    from passbuild.plan.model import Plan

_NAMES = ("a", "b", "c-c", "d-d-d", "e", "f")
_EXTRAS = ("x", "y")
_VERSIONS = ("1.0", "2.0", "3.0rc1", "2.0+local", "no version")
_SPECIFIERS = ("", "", ">=1", ">=2", "==2.0", "<2")
_MARKERS = (
    "",
    "",
    "sys_platform == 'nowhere'",
    "python_version >= '3'",
    "extra == 'x'",
    "extra == 'y'",
    "extra == 'x' or extra == 'y'",
    "extra == 'x' and sys_platform == 'linux'",
    "extra == 'x' and sys_platform == 'nowhere'",
)
_SOAK = os.environ.get("EXACTNESS_EXAMPLES")
_QUICK = settings(
    deadline=None, max_examples=int(_SOAK or 60), derandomize=_SOAK is None, database=None, print_blob=True
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a plan is made from, as it is written."""

    distributions: tuple[tuple[str, str, tuple[str, ...]], ...]
    """Name, version and requirements of each distribution of the host."""
    requires: tuple[str, ...]
    build_requires: tuple[str, ...]
    passthrough: tuple[str, ...]
    on_mismatch: str
    on_missing: str

    @property
    def host(self) -> Host:
        """The host."""
        return fakes.host(*(fakes.distribution(name, version, *needs) for name, version, needs in self.distributions))

    def plan(self) -> Plan:
        """Return the plan."""
        options = fakes.settings(
            passthrough=list(self.passthrough),
            build_requires=list(self.build_requires),
            on_mismatch=self.on_mismatch,
            on_missing=self.on_missing,
        )
        return decided(fakes.project(*self.requires, name="e"), options, self.host)


@st.composite
def requirements(draw: DrawFn, markers: tuple[str, ...] = _MARKERS, specifiers: tuple[str, ...] = _SPECIFIERS) -> str:
    """Draw a requirement."""
    name, specifier = draw(st.sampled_from(_NAMES)), draw(st.sampled_from(specifiers))
    asked = ",".join(draw(st.lists(st.sampled_from(_EXTRAS), max_size=2, unique=True)))
    marker = draw(st.sampled_from(markers))
    return f"{name}{f'[{asked}]' if asked else ''}{specifier}{f'; {marker}' if marker else ''}"


@st.composite
def questions(draw: DrawFn) -> Question:
    """Draw a host, a project and settings."""
    names = draw(st.lists(st.sampled_from(_NAMES), min_size=1, unique=True))
    plain = st.lists(requirements(markers=_MARKERS[:4]), max_size=4, unique=True).map(tuple)
    distributions = [
        (name, draw(st.sampled_from(_VERSIONS)), draw(st.lists(requirements(), max_size=4, unique=True).map(tuple)))
        for name in names
    ]
    return Question(
        distributions=tuple(distributions),
        requires=draw(plain),
        build_requires=draw(plain),
        passthrough=draw(st.lists(requirements(markers=_MARKERS[:4]), min_size=1, max_size=4, unique=True).map(tuple)),
        on_mismatch=draw(st.sampled_from(["error", "install", "host"])),
        on_missing=draw(st.sampled_from(["install", "error"])),
    )


@_QUICK
@given(question=questions(), data=st.data())
def test_the_order_in_which_things_are_written_does_not_count(question: Question, data: st.DataObject) -> None:
    """The same plan comes of any order of names, requirements and distributions, and each time it is asked for."""
    shuffled = dataclasses.replace(
        question,
        distributions=tuple(data.draw(st.permutations(question.distributions))),
        requires=tuple(data.draw(st.permutations(question.requires))),
        build_requires=tuple(data.draw(st.permutations(question.build_requires))),
        passthrough=tuple(data.draw(st.permutations(question.passthrough))),
    )

    plan, again, other = question.plan(), question.plan(), shuffled.plan()

    assert again == plan
    assert unordered(other) == unordered(plan)


def unordered(plan: Plan) -> Plan:
    """Return a plan with what it quotes in one order: it quotes requirements as they are written, first to last."""

    def one(text: str) -> str:
        return ", ".join(sorted(text.split(", ")))

    decisions = [replace(item, wanted=one(item.wanted)) for item in plan.decisions]
    return replace(
        plan,
        decisions=tuple(decisions),
        mismatches=tuple(replace(item, wanted=one(item.wanted)) for item in plan.mismatches),
        missing=tuple(replace(item, wanted=one(item.wanted)) for item in plan.missing),
    )


@_QUICK
@given(question=questions(), data=st.data())
def test_the_spelling_of_names_does_not_count(question: Question, data: st.DataObject) -> None:
    """Names in any spelling, wherever they stand, make the same plan; only quoted texts differ."""

    def respelled(text: str) -> str:
        name = re.match(r"[\w-]+", text)
        assert name is not None
        spelled = data.draw(st.sampled_from([name[0], name[0].upper(), name[0].title()]))
        return re.sub("-", lambda _: data.draw(st.sampled_from(["-", "_", ".", "-_."])), spelled) + text[name.end() :]

    other = dataclasses.replace(
        question,
        distributions=tuple(
            (respelled(name), version, tuple(map(respelled, needs))) for name, version, needs in question.distributions
        ),
        requires=tuple(map(respelled, question.requires)),
        build_requires=tuple(map(respelled, question.build_requires)),
        passthrough=tuple(map(respelled, question.passthrough)),
    )

    assert essence(other.plan()) == essence(question.plan())


def essence(plan: Plan) -> tuple[object, ...]:
    """Return what a plan is but for the texts that it quotes."""

    def stated(requirement: Requirement) -> tuple[str, ...]:
        extras = ",".join(sorted(requirement.extras))
        name = canonicalize_name(requirement.name)
        return name, extras, str(requirement.specifier), str(requirement.marker)

    return (
        [(item.name, item.action, item.found) for item in plan.decisions],
        [(item.distribution.name, item.named, item.needed_by, len(item.left_out)) for item in plan.passed],
        set(map(stated, plan.install)),
        [problem.name for problem in (*plan.mismatches, *plan.missing)],
        (len(plan.dropped), len(plan.warnings)),
    )


@_QUICK
@given(question=questions(), stop_at=st.frozensets(st.sampled_from(_NAMES).map(canonicalize_name), max_size=2))
def test_the_closure_is_the_least_fixed_point(question: Question, stop_at: frozenset[NormalizedName]) -> None:
    """It holds the named packages and all that its members need, by their extras and markers, and nothing else."""
    host = question.host
    named = {canonicalize_name(name): set(_EXTRAS[:1]) for name, _, _ in question.distributions[:2]}

    reached, by = fixed_point(host, named, stop_at)
    found = closure(host, named, stop_at)

    others = {name: needed_by for name, needed_by in by.items() if name not in named}
    assert found.members == {k: v for k, v in others.items() if k in host.distributions and k not in stop_at}
    assert found.missing == {k: v for k, v in others.items() if k not in host.distributions and k not in stop_at}
    assert found.stopped == {k: v for k, v in others.items() if k in stop_at}
    assert found.members.keys() | named.keys() == reached


@_QUICK
@given(question=questions())
def test_what_passes_through_is_the_least_fixed_point(question: Question) -> None:
    """A plan passes what it decides to pass, with the closure of that up to what is installed in isolation."""
    plan, host = question.plan(), question.host
    passing = {item.name for item in plan.decisions if item.action is Action.PASS}
    texts = (*question.requires, *question.build_requires, *question.passthrough)
    stated = [item for item in map(Requirement, texts) if not item.marker or item.marker.evaluate(host.markers)]
    extras = {
        name: {x for item in stated if canonicalize_name(item.name) == name for x in item.extras} for name in passing
    }
    own = question.requires + question.build_requires
    declared = {canonicalize_name(item.name) for item in stated if str(item) in set(map(str, map(Requirement, own)))}

    reached, by = fixed_point(host, extras, (declared - passing) | {canonicalize_name("e")})

    assert {item.distribution.name for item in plan.passed} == reached
    assert {item.distribution.name for item in plan.passed if item.named} == passing
    for item in plan.passed:
        assert item.needed_by == (() if item.named else by[item.distribution.name])


def fixed_point(
    host: Host, named: Mapping[NormalizedName, AbstractSet[str]], stop_at: AbstractSet[NormalizedName]
) -> tuple[set[NormalizedName], dict[NormalizedName, tuple[NormalizedName, ...]]]:
    """Return what is reached, and who needs each name: by looking at everything until nothing is new."""
    reached = {(name, extra) for name, extras in named.items() for extra in ("", *extras)}
    needed: set[tuple[NormalizedName, NormalizedName]] = set()
    before = -1
    while before != len(reached) + len(needed):
        before = len(reached) + len(needed)
        for name, extra in tuple(reached):
            for item in host.distributions[name].requires:
                if item.marker and not item.marker.evaluate({**host.markers, "extra": extra}):
                    continue
                target = canonicalize_name(item.name)
                needed |= {(target, name)} - {(name, name)}
                if target in host.distributions and (target not in stop_at or target == name):
                    reached |= {(target, asked) for asked in ("", *item.extras)}
    by = {target: tuple(sorted(name for to, name in needed if to == target)) for target, _ in needed}
    return {name for name, _ in reached}, by
