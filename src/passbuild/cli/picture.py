"""A plan as a picture: the host, what comes from it as a tree, what is installed and why, and what is refused."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from passbuild.cli.amounts import size
from passbuild.cli.paint import line
from passbuild.plan.model import Action

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from passbuild.cli.paint import Line
    from passbuild.plan.explain import Explanation
    from passbuild.plan.model import Decision, Passed, Plan
    from passbuild.report import Report
    from passbuild.settings.model import Settings

_FOUND = "on the host: "
"""A fact that the title of a branch has already."""
_HEADS = {
    Action.INSTALL: ("installed into the build environment", "bold cyan"),
    Action.SKIP: ("left out", "bold yellow"),
    Action.REFUSE: ("refused", "bold red"),
}


def lines(report: Report, plan: Plan) -> Iterator[Line]:
    """Yield the lines of the picture."""
    if report.host is not None:
        yield line(("host", "bold"), f"  Python {report.host.version}, {report.host.executable}")
        yield line((f"      chosen by: {report.host.reason}", "dim"))
    yield from _refused(plan)
    yield from _passed(plan)
    for action in (Action.INSTALL, Action.SKIP):
        yield from _decided(plan, action)
    if report.settings is not None:
        yield from _settings(report.settings)
    yield line(("the backend's hooks may require more; a build plans again when they do", "dim"))


def explained(explanation: Explanation) -> Iterator[Line]:
    """Yield why one package comes from where it comes from."""
    yield line((explanation.name, "bold"), f": {explanation.answer}")
    for fact in explanation.facts:
        yield line(f"  {fact}")


def _refused(plan: Plan) -> Iterator[Line]:
    """Yield what does not fit or is not there, with wanted and found."""
    problems = {problem.name: problem for problem in (*plan.mismatches, *plan.missing)}
    decisions = [item for item in plan.decisions if item.action is Action.REFUSE]
    if decisions:
        yield line(_HEADS[Action.REFUSE])
    for item in decisions:
        yield line(("✗ ", "bold red"), (item.name, "bold"), f"  {item.reason}")
        problem = problems.get(item.name)
        if problem is not None:
            yield line(("    wanted: ", "red"), problem.wanted)
            yield line(("    found:  ", "red"), problem.found)


def _passed(plan: Plan) -> Iterator[Line]:
    if not plan.passed:
        return
    home = Counter(item.distribution.location for item in plan.passed).most_common(1)[0][0]
    yield line(("from the host", "bold green"), f", {home}")
    reasons = {item.name: item for item in plan.decisions if item.action is Action.PASS}
    below = _children(plan.passed)
    named = [item for item in plan.passed if item.named]
    for index, item in enumerate(named):
        yield from _branch(item, below, home, "", is_last=index == len(named) - 1, reasons=reasons)
    total = sum(item.distribution.size for item in plan.passed)
    if total:
        yield line((f"{size(total)} are used where they are: neither downloaded nor copied", "dim"))


def _children(passed: Sequence[Passed]) -> Mapping[NormalizedName, list[Passed]]:
    """Return what hangs below each distribution: each member once, below the one that is nearest to a named one."""
    children: dict[NormalizedName, list[Passed]] = {}
    waiting = [item.distribution.name for item in passed if item.named]
    seen = set(waiting)
    for name in waiting:  # it grows
        for item in passed:
            if name in item.needed_by and item.distribution.name not in seen:
                seen.add(item.distribution.name)
                children.setdefault(name, []).append(item)
                waiting.append(item.distribution.name)
    return children


def _branch(  # noqa: PLR0913 - a branch of a tree has all of these
    item: Passed,
    below: Mapping[NormalizedName, list[Passed]],
    home: Path,
    stem: str,
    *,
    is_last: bool,
    reasons: Mapping[NormalizedName, Decision],
) -> Iterator[Line]:
    distribution = item.distribution
    facts = [size(distribution.size)] if distribution.size else []
    facts += ["editable"] if distribution.editable else []
    facts += [str(distribution.location)] if distribution.location != home else []
    facts += [f"installed from {distribution.direct_url}"] if distribution.direct_url else []
    yield line(
        (f"{stem}{'└─ ' if is_last else '├─ '}", "dim"),
        (distribution.name, "bold green" if item.named else "green"),
        f" {distribution.raw_version}",
        (f"  {', '.join(facts)}" if facts else "", "dim"),
    )
    stem += "   " if is_last else "│  "
    decision = reasons.get(distribution.name)
    children = below.get(distribution.name, [])
    if decision is not None:
        told = [decision.reason, *(fact for fact in decision.facts if not fact.startswith(_FOUND))]
        yield from (line((f"{stem}{'│' if children else ' '}  {text}", "dim")) for text in told)
    for index, child in enumerate(children):
        yield from _branch(child, below, home, stem, is_last=index == len(children) - 1, reasons=reasons)


def _decided(plan: Plan, action: Action) -> Iterator[Line]:
    decisions = [item for item in plan.decisions if item.action is action]
    if decisions:
        yield line(_HEADS[action])
    for item in decisions:
        yield line("  ", (item.name, "bold"), f"  {item.reason}")
        yield from (line((f"    {fact}", "dim")) for fact in item.facts)


def _settings(settings: Settings) -> Iterator[Line]:
    yield line(("settings", "bold"))
    for named in settings.passthrough:
        yield line(f"  passthrough {named.value} ", (f"({named.origin})", "dim"))
    scalars = {
        "on-mismatch": settings.on_mismatch,
        "on-missing": settings.on_missing,
        "installer": settings.installer,
    }
    for name, setting in scalars.items():
        yield line(f"  {name} = {setting.value.value} ", (f"({setting.origin})", "dim"))
    for required in settings.build_requires:
        yield line(f"  build-requires {required.value} ", (f"({required.origin})", "dim"))
    for constraint in settings.build_constraints:
        yield line(f"  build-constraints {constraint.value} ", (f"({constraint.origin})", "dim"))
    for taken in settings.taken_away:
        yield line(f"  no-passthrough {taken.value} ", (f"({taken.origin})", "dim"))
