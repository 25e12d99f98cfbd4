"""What CI services are told: groups, annotations and a summary, in their own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from passbuild.cli import ci
from passbuild.errors import BackendFailed, Cause
from passbuild.settings.model import Ci

if TYPE_CHECKING:
    from pathlib import Path

_ERROR = BackendFailed(
    hook="build_wheel",
    problem="it ended",
    cause=Cause(text="error: 100% wrong\nno", file="src/a.c", line=7),
    advice="mend; it [now]",
    project="pump",
)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"GITHUB_ACTIONS": "true"}, ci.GitHub),
        ({"GITLAB_CI": "true"}, ci.GitLab),
        ({"TF_BUILD": "True"}, ci.Azure),
        ({"CI": "true"}, type(None)),
        ({"GITHUB_ACTIONS": "false"}, type(None)),
    ],
)
def test_a_service_is_known_by_its_variable(environ: dict[str, str], expected: type) -> None:
    """`CI=true` alone says of which service nothing."""
    assert isinstance(ci.dialect(Ci.AUTO, environ), expected)


def test_what_is_chosen_counts_more_than_where_it_runs() -> None:
    """Forgejo understands GitHub's words; whoever wants none gets none."""
    assert isinstance(ci.dialect(Ci.GITHUB, {}), ci.GitHub)
    assert ci.dialect(Ci.NONE, {"GITHUB_ACTIONS": "true"}) is None


def test_in_a_group_of_github_a_backend_commands_nothing() -> None:
    """`::set-output` in the output of a build is text: commands are stopped by a word that nobody can know."""
    dialect = ci.GitHub()

    first, second = dialect.begin("build"), dialect.end()
    other = dialect.begin("build")

    group, stop = first.splitlines()
    token = stop.removeprefix("::stop-commands::")
    assert group == "::group::build"
    assert second == f"::{token}::\n::endgroup::"
    assert len(token) >= 32
    assert token not in other


def test_annotations_carry_place_and_text_in_the_words_of_the_service() -> None:
    """What would end a command is escaped."""
    github = ci.GitHub().error(_ERROR, "src/a,b.c", 7)
    azure = ci.Azure().error(_ERROR, "src/a.c", 7)

    assert github == (
        "::error file=src/a%2Cb.c,line=7,title=passbuild%3A backend-failed::"
        "pump: build_wheel failed: src/a.c:7: error: 100%25 wrong%0Ano%0Amend; it [now]"
    )
    assert azure == (
        "##vso[task.logissue type=error;sourcepath=src/a.c;linenumber=7;code=backend-failed;]"
        "pump: build_wheel failed: src/a.c:7: error: 100%AZP25 wrong%0Ano%0Amend%3B it [now%5D"
    )
    assert ci.GitHub().warning("a\nb") == "::warning title=passbuild::a%0Ab"
    assert ci.GitLab().error(_ERROR, "", 0) == ""


def test_a_section_of_gitlab_ends_by_its_own_name() -> None:
    """Two sections of one job have different names."""
    dialect = ci.GitLab()

    names = []
    for _ in range(2):
        begin, end = dialect.begin("build the wheel"), dialect.end()
        name = begin.partition("[collapsed")[0].rpartition(":")[2]
        assert end.endswith(f":{name}\r\x1b[0K")
        names.append(name)

    assert len(set(names)) == 2


def test_the_file_at_fault_is_named_as_the_repository_calls_it(tmp_path: Path) -> None:
    """The project may lie in a folder of the repository; a file outside of it is none to point at."""
    project = tmp_path / "repository" / "packages" / "pump"
    (project / "src").mkdir(parents=True)
    (project / "src" / "a.c").touch()
    workspace = {"GITHUB_WORKSPACE": str(tmp_path / "repository")}

    assert ci.place(_ERROR, project, workspace) == ("packages/pump/src/a.c", 7)
    assert ci.place(_ERROR, project, {"GITHUB_WORKSPACE": str(tmp_path / "other")}) == ("", 0)
    assert ci.place(_ERROR, None, workspace) == ("", 0)


def test_what_a_backend_prints_commands_nothing_on_azure() -> None:
    """Azure has no word by which commands are ignored: their sign is broken."""
    dialect = ci.Azure()

    assert dialect.output("##vso[task.complete result=Failed;]done") == "# #vso[task.complete result=Failed;]done"
    assert dialect.output("  ##[error]x") == "  # #[error]x"
    assert ci.GitHub().output("::error::x") == "::error::x"


def test_no_text_is_a_command_of_azure() -> None:
    """Neither in the name of a group, nor inside an annotation, nor in the name of a file."""
    evil = "##vso[task.setvariable variable=x]y"
    azure = ci.Azure()
    error = BackendFailed(hook="build_wheel", problem=evil, advice=f"## {evil}", project="##[error]")

    told = [azure.begin(evil), azure.output(evil), azure.warning(evil), azure.error(error, evil, 1)]

    assert told[0].startswith("##[group]")
    assert [text.count("##vso[") for text in told] == [0, 0, 1, 1]
    assert not any("##[" in text for text in told[1:])
