"""Decide, name by name, by the table of the design: pass through, install, skip or refuse."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from passbuild.errors import Problem
from passbuild.plan.closure import closure, requirements
from passbuild.plan.markers import is_active, is_met
from passbuild.plan.model import Action, Decision, Passed, Plan
from passbuild.settings.model import OnMismatch, OnMissing, Setting

if sys.version_info >= (3, 11):
    from typing import assert_never
else:
    from typing_extensions import assert_never

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from packaging.utils import NormalizedName

    from passbuild.host.model import Distribution, Host
    from passbuild.project.model import Project
    from passbuild.settings.model import Settings


def decided(project: Project, settings: Settings, host: Host, dynamic: Sequence[Setting[Requirement]] = ()) -> Plan:
    """Return the plan for a project on a host.

    `dynamic` are the requirements that a ``get_requires_for_build_*`` hook returned. Pure: the same values give the
    same plan, in a sorted order.
    """
    return _Planner(project, settings, host, dynamic).plan()


@dataclass(slots=True, kw_only=True)
class _Name:
    """What is known of one named passthrough package before it is decided."""

    name: NormalizedName
    named: list[Setting[Requirement]] = field(default_factory=list)
    declared: list[Setting[Requirement]] = field(default_factory=list)

    @property
    def origins(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.origin for item in self.named))

    @property
    def stated(self) -> list[Setting[Requirement]]:
        """The namings that are requirements, and hold for whatever copy is used."""
        return [item for item in self.named if item.value.specifier or item.value.url]

    @property
    def extras(self) -> set[str]:
        return {extra for item in (*self.named, *self.declared) for extra in item.value.extras}

    @property
    def declared_extras(self) -> set[str]:
        """The extras that a requirement asks for: what they need may be installed."""
        return {extra for item in self.declared for extra in item.value.extras}

    @property
    def wanted(self) -> str:
        stated = [item for item in (*self.declared, *self.named) if item.value.specifier or item.value.url]
        return ", ".join(dict.fromkeys(f"{item.value} ({item.origin})" for item in stated))


class _Planner:
    """One run over the decision table; holds what the decisions add up to."""

    def __init__(
        self, project: Project, settings: Settings, host: Host, dynamic: Sequence[Setting[Requirement]]
    ) -> None:
        self._project = project
        self._settings = settings
        self._host = host
        self._declared = _active(_declared(project, settings, dynamic), host.markers)
        self._decisions: list[Decision] = []
        self._pass: dict[NormalizedName, _Name] = {}
        self._instead: dict[NormalizedName, list[Setting[Requirement]]] = {}
        self._dropped: list[str] = []
        self._mismatches: list[Problem] = []
        self._missing: list[Problem] = []
        self._warnings: list[str] = []

    def plan(self) -> Plan:
        for name in self._names():
            self._decide(name)
        passed = self._passed()
        install = self._install()
        self._decisions += self._installed_in_isolation()
        return Plan(
            decisions=tuple(sorted(self._decisions, key=_place)),
            passed=passed,
            install=install,
            constraints=tuple(dict.fromkeys(item.value for item in self._settings.build_constraints)),
            dropped=tuple(self._dropped),
            mismatches=tuple(self._mismatches),
            missing=tuple(self._missing),
            warnings=tuple(self._warnings),
        )

    def _names(self) -> list[_Name]:
        """Return the named packages that concern this host, with who declares them, sorted."""
        names: dict[NormalizedName, _Name] = {}
        for item in self._settings.passthrough:
            name = canonicalize_name(item.value.name)
            if is_active(item.value, self._host.markers):
                names.setdefault(name, _Name(name=name)).named.append(item)
            else:
                reason = f"its marker is false on this host: {item.value.marker}"
                self._note(_Name(name=name, named=[item]), Action.SKIP, reason)
        for name, known in names.items():
            known.declared += self._declared.get(name, [])
        return [names[name] for name in sorted(names)]

    def _decide(self, known: _Name) -> None:
        if known.name == self._project.name:
            self._note(known, Action.SKIP, "the project itself is never passed through to its own build")
            return
        distribution = self._host.distributions.get(known.name)
        if distribution is None:
            self._decide_absent(known)
        elif distribution.version is None:
            self._refuse_unversioned(known, distribution)
        elif all(is_met(item.value, distribution) for item in (*known.declared, *known.named)):
            self._pass[known.name] = known
            self._note(known, Action.PASS, self._why_passed(known), distribution)
        else:
            self._decide_mismatch(known, distribution)

    def _decide_absent(self, known: _Name) -> None:
        where = f"not installed in {self._host.executable}"
        if self._settings.on_missing.value is OnMissing.ERROR:
            hint = (
                f"install it there, or allow the download with --on-missing install, or --no-passthrough {known.name}"
            )
            wanted = known.wanted or ", ".join(known.origins)
            self._missing.append(Problem(name=known.name, wanted=wanted, found=where, hint=hint))
            self._note(known, Action.REFUSE, f"{where}, and on-missing is error")
        elif known.declared:
            self._instead[known.name] = known.stated
            self._note(known, Action.INSTALL, f"{where}: installed as usual")
        else:
            self._note(known, Action.SKIP, f"{where}, and nothing requires it")
            self._warnings.append(
                f"{known.name} was named to pass through ({', '.join(known.origins)}), but it is {where} "
                "and the project does not require it"
            )

    def _decide_mismatch(self, known: _Name, distribution: Distribution) -> None:
        match self._settings.on_mismatch.value:
            case OnMismatch.ERROR:
                self._mismatches.append(self._mismatch(known, distribution))
                self._note(known, Action.REFUSE, "the host's version does not fit", distribution)
            case OnMismatch.INSTALL if known.declared:
                self._instead[known.name] = known.stated
                self._note(
                    known, Action.INSTALL, "the host's version does not fit, and on-mismatch is install", distribution
                )
            case OnMismatch.INSTALL:
                self._note(known, Action.SKIP, "the host's version does not fit, and nothing requires it", distribution)
                self._warnings.append(
                    f"{known.name} {distribution.raw_version} does not fit {known.wanted}, and on-mismatch is install, "
                    "but the project does not require it: it is neither passed through nor installed"
                )
            case OnMismatch.HOST:
                unmet = [item for item in (*known.declared, *known.named) if not is_met(item.value, distribution)]
                self._dropped += [f"{item.value} ({item.origin})" for item in unmet]
                self._pass[known.name] = known
                self._note(known, Action.PASS, "the host's version does not fit, and on-mismatch is host", distribution)
                used = f"{known.name} {distribution.raw_version} of the host is used"
                self._warnings += [f"{item.value} ({item.origin}) is set aside: {used}" for item in unmet]
            case unreachable:
                assert_never(unreachable)

    def _refuse_unversioned(self, known: _Name, distribution: Distribution) -> None:
        stated = f"version {distribution.raw_version!r}" if distribution.raw_version else "no version"
        found = f"{stated} in {distribution.info}, which is no version by PEP 440"
        hint = f"reinstall {known.name} with a version, or --no-passthrough {known.name}"
        self._mismatches.append(Problem(name=known.name, wanted=known.wanted or "a version", found=found, hint=hint))
        self._note(known, Action.REFUSE, "its version on the host is none by PEP 440", distribution)

    def _mismatch(self, known: _Name, distribution: Distribution) -> Problem:
        source = f", installed from {distribution.direct_url}" if distribution.direct_url else ""
        return Problem(
            name=known.name,
            wanted=known.wanted,
            found=f"{distribution.raw_version} in {distribution.location}{source}",
            hint=(
                "choose with --on-mismatch: install (download a fitting copy for this build) "
                "or host (use the host's copy all the same)"
            ),
        )

    def _why_passed(self, known: _Name) -> str:
        if known.declared:
            return "named, and it meets what the project requires"
        return "named; the project does not declare it"

    def _passed(self) -> tuple[Passed, ...]:
        """Return the named packages and their closure, and warn about what the host lacks of it."""
        isolated = set(self._declared) - set(self._pass)
        own = {self._project.name} if self._project.name else set()
        reached = closure(self._host, {name: known.extras for name, known in self._pass.items()}, isolated | own)
        missing = {name: by for name, by in reached.missing.items() if name not in self._needed_by_declared_extras()}
        for name, needed_by in missing.items():
            self._warnings.append(f"{name}, needed by {', '.join(needed_by)}, is not on the host; it is left out")
        for name, needed_by in reached.stopped.items():
            if name == self._project.name:
                self._warnings.append(f"{', '.join(needed_by)} needs the project itself ({name}); it is left out")
        for name in sorted({*self._pass, *reached.members}):
            self._warn_of_nothing_known(self._host.distributions[name])
        lacking = (set(missing) | own) - isolated
        members = [
            *((name, True, ()) for name in self._pass),
            *((name, False, needed_by) for name, needed_by in reached.members.items()),
        ]
        return tuple(
            Passed(
                distribution=self._host.distributions[name],
                named=named,
                needed_by=needed_by,
                left_out=self._left_out(self._host.distributions[name], reached.extras[name], lacking),
            )
            for name, named, needed_by in sorted(members)
        )

    def _warn_of_nothing_known(self, distribution: Distribution) -> None:
        if distribution.recorded or distribution.entries or distribution.path_files:
            return
        self._warnings.append(
            f"{distribution.name}: nothing on the host says which files are its own ({distribution.info} has neither "
            "RECORD nor top_level.txt, and no module has its name), so only its metadata passes through; reinstall it "
            "with pip or uv to give it a record"
        )

    def _needed_by_declared_extras(self) -> set[NormalizedName]:
        """Return what is needed for the sake of an extra that a requirement asks for."""
        found = set()
        for name, known in self._pass.items():
            distribution, markers = self._host.distributions[name], self._host.markers
            always = requirements(distribution, set(), markers)
            needed = requirements(distribution, known.declared_extras, markers)
            found |= {canonicalize_name(item.name) for item in needed if item not in always}
        return found

    def _left_out(
        self, distribution: Distribution, extras: AbstractSet[str], lacking: set[NormalizedName]
    ) -> tuple[str, ...]:
        active = requirements(distribution, extras, self._host.markers)
        return tuple(str(item) for item in active if canonicalize_name(item.name) in lacking)

    def _install(self) -> tuple[Requirement, ...]:
        """Return what the installer is asked for: pins for the passed, the requirements themselves for the rest."""
        wanted = []
        for name, known in self._pass.items():
            extras = f"[{','.join(sorted(known.extras))}]" if known.extras else ""
            wanted.append(Requirement(f"{name}{extras}=={self._host.distributions[name].version}"))
        for name, items in self._declared.items():
            if name not in self._pass:
                wanted += [item.value for item in (*items, *self._instead.get(name, ()))]
        return tuple(sorted({str(item): item for item in wanted}.values(), key=str))

    def _installed_in_isolation(self) -> Iterable[Decision]:
        """Yield a decision for each declared requirement that nobody named."""
        decided_names = {decision.name for decision in self._decisions}
        for name, items in sorted(self._declared.items()):
            if name in decided_names:
                continue
            yield Decision(
                name=name,
                action=Action.INSTALL,
                reason="required by the project and not named to pass through",
                wanted=", ".join(dict.fromkeys(f"{item.value} ({item.origin})" for item in items)),
                found=self._host.installed.get(name, ""),
            )

    def _note(self, known: _Name, action: Action, reason: str, distribution: Distribution | None = None) -> None:
        self._decisions.append(
            Decision(
                name=known.name,
                action=action,
                reason=reason,
                wanted=known.wanted,
                found=distribution.raw_version if distribution else "",
                origins=known.origins,
            )
        )


def _place(decision: Decision) -> tuple[str, str, str, tuple[str, ...]]:
    """Return what decisions are sorted by: a name can be decided on twice, where one of its markers is false."""
    return decision.name, decision.action.value, decision.reason, decision.origins


def _declared(
    project: Project, settings: Settings, dynamic: Sequence[Setting[Requirement]]
) -> Iterable[tuple[Requirement, str]]:
    for requirement in project.build_system.requires:
        yield requirement, "build-system.requires"
    for item in (*settings.build_requires, *dynamic):
        yield item.value, item.origin


def _active(
    stated: Iterable[tuple[Requirement, str]], markers: Mapping[str, str]
) -> dict[NormalizedName, list[Setting[Requirement]]]:
    """Group the requirements that count on this host by name."""
    grouped: dict[NormalizedName, list[Setting[Requirement]]] = {}
    for requirement, origin in stated:
        if is_active(requirement, markers):
            item = Setting(value=requirement, origin=origin)
            grouped.setdefault(canonicalize_name(requirement.name), []).append(item)
    return grouped
