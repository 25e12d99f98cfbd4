"""Answer for one package why it comes from where it comes from. Pure, as the plan is."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from passbuild.plan.model import Action
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.utils import NormalizedName

    from passbuild.host.model import Distribution, Host
    from passbuild.plan.model import Passed, Plan
    from passbuild.settings.model import Settings

_ANSWERS = {
    Action.PASS: "comes from the host",
    Action.INSTALL: "is installed into the build environment",
    Action.SKIP: "is left out",
    Action.REFUSE: "is refused",
}


@frozen
class Explanation:
    """Why a package comes from where it comes from."""

    name: str
    answer: str
    """One sentence without its subject: where it comes from, and why."""
    facts: tuple[str, ...]
    """What that rests on, one fact in each."""


def explanation(name: str, plan: Plan, settings: Settings, host: Host) -> Explanation:
    """Return where `name`, in any spelling, comes from by this plan, and why."""
    normalized = canonicalize_name(name)
    decision = next((item for item in plan.decisions if item.name == normalized), None)
    passed = {item.distribution.name: item for item in plan.passed}
    taken = next((item for item in settings.taken_away if item.value == normalized), None)
    facts = [f"no-passthrough takes it away: {taken.origin}"] if taken else []
    if decision is not None:
        facts += [*decision.facts, *_needs(normalized, plan)]
        facts += _of_distribution(host.distributions.get(normalized), passed.get(normalized))
        return Explanation(
            name=normalized, answer=f"{_ANSWERS[decision.action]}: {decision.reason}", facts=tuple(dict.fromkeys(facts))
        )
    if normalized in passed:
        way = " needs ".join(_way(normalized, passed))
        facts += [f"{way}: what a passed package needs at run time comes with it"]
        facts += _of_distribution(passed[normalized].distribution, passed[normalized])
        return Explanation(
            name=normalized, answer="comes from the host: a package that passes through needs it", facts=tuple(facts)
        )
    return _absent(normalized, host, facts)


def _absent(name: NormalizedName, host: Host, facts: list[str]) -> Explanation:
    version = host.installed.get(name)
    if version is not None:
        answer = "is not in the build environment, as far as is known before a hook was asked"
        facts = [*facts, f"{version or 'a version that it does not state'} is installed in {host.prefix}"]
        facts += ["nobody named it, nothing that passes through needs it, and the project does not require it"]
        facts += [f"to take it from there: --passthrough {name}"]
        return Explanation(name=name, answer=answer, facts=tuple(facts))
    answer = "is neither named, nor required, nor installed on the host"
    close = difflib.get_close_matches(name, host.installed, n=1)
    facts = [*facts, *(f"did you mean {found}?" for found in close)]
    facts += ["what is installed for the build may bring it along: the JSON report of a build lists all of that"]
    return Explanation(name=name, answer=answer, facts=tuple(facts))


def _needs(name: NormalizedName, plan: Plan) -> Iterator[str]:
    """Yield which passed packages need it, where it is installed all the same."""
    needing = [
        item.distribution.name
        for item in plan.passed
        if any(canonicalize_name(requirement.name) == name for requirement in item.distribution.requires)
    ]
    is_passed = any(item.distribution.name == name for item in plan.passed)
    if needing and not is_passed:
        yield (
            f"{', '.join(needing)} of the host may need it too, but what the project itself requires and nobody names "
            "is always installed in isolation"
        )


def _of_distribution(distribution: Distribution | None, passed: Passed | None) -> Iterator[str]:
    if distribution is None or passed is None:
        return
    yield f"version: {distribution.raw_version}"
    yield f"lies in: {distribution.location}"
    if distribution.editable:
        yield "it is installed editable"
    if distribution.direct_url is not None:
        yield f"it was installed from: {distribution.direct_url}"
    if passed.needed_by:
        yield f"needed by: {', '.join(passed.needed_by)}"
    if passed.left_out:
        yield f"the host lacks of what it needs: {', '.join(passed.left_out)}"


def _way(name: NormalizedName, passed: dict[NormalizedName, Passed]) -> list[str]:
    """Return a shortest way to a closure member, from a named package on."""
    ways: list[list[NormalizedName]] = [[name]]
    seen = {name}
    for way in ways:  # it grows
        item = passed[way[0]]
        if item.named:
            return [str(step) for step in way]
        for parent in item.needed_by:
            if parent in passed and parent not in seen:
                seen.add(parent)
                ways.append([parent, *way])
    return [str(name)]
