"""Settings from all sources: who wins, what adds up, and what is said about mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.bench import Bench, Outcome

_HOST = ("engine==1.0", "fuel==1.0", "tool==1.0", "odd.Name==1.0", "shared-one==1.0")


def _user_file(bench: Bench, text: str) -> dict[str, str]:
    """Write the user's configuration file where it is looked for, and return the variable that says so."""
    config = bench.folder / "config"
    (config / "passbuild").mkdir(parents=True)
    (config / "passbuild" / "config.toml").write_text(text, encoding="utf-8")
    return {"XDG_CONFIG_HOME": str(config)}


def _named(run: Outcome) -> dict[str, list[str]]:
    """Return the names that pass through, with where each was named."""
    assert run.code == 0, run.stderr
    return {item["name"]: item["origins"] for item in run.document["decisions"] if item["action"] == "pass"}


def _settings(run: Outcome) -> dict[str, Any]:
    settings: dict[str, Any] = run.document["settings"]
    return settings


def test_names_of_all_five_sources_add_up(bench: Bench) -> None:
    """The tables of uv and ours, the user's file, the variable and the option name one each, and it is said which."""
    toml = '[tool.uv]\nno-build-isolation-package = ["engine"]\n[tool.passbuild]\npassthrough = ["fuel"]'
    project = bench.project(toml=toml, imports=["engine", "fuel", "tool", "odd_name", "shared.one"])
    environ = {**_user_file(bench, 'passthrough = ["tool"]'), "PASSBUILD_PASSTHROUGH": "odd-name"}

    run = bench.passbuild(
        "wheel", project, "--host", bench.host(*_HOST), "--passthrough", "shared-one", environ=environ
    )

    file = bench.folder / "config" / "passbuild" / "config.toml"
    assert _named(run) == {
        "engine": ["pyproject.toml [tool.uv] no-build-isolation-package[0]"],
        "fuel": ["pyproject.toml [tool.passbuild] passthrough[0]"],
        "odd-name": ["PASSBUILD_PASSTHROUGH"],
        "shared-one": ["--passthrough"],
        "tool": [f"{file} passthrough[0]"],
    }


@pytest.mark.parametrize("source", ["uv", "project", "user", "package", "variable", "option"])
def test_each_source_is_enough(bench: Bench, installer: str, source: str) -> None:
    """A name in any one of them passes through, with either installer."""
    tables = {
        "uv": '[tool.uv]\nno-build-isolation-package = ["engine"]',
        "project": '[tool.passbuild]\npassthrough = ["engine"]',
    }
    files = {"user": 'passthrough = ["engine"]', "package": '[package.Sample]\npassthrough = ["engine"]'}
    toml = f'[project]\nname = "sample"\nversion = "1.0"\n{tables.get(source, "")}'
    project = bench.project(requires=["engine"], toml=toml, imports=["engine"])
    environ = _user_file(bench, files.get(source, ""))
    environ |= {"PASSBUILD_INSTALLER": installer}
    environ |= {"PASSBUILD_PASSTHROUGH": "engine"} if source == "variable" else {}
    options = ["--passthrough", "engine"] if source == "option" else []
    host = bench.host("engine==1.0", "fuel==1.0")

    run = bench.passbuild("wheel", project, "--host", host, *options, environ=environ)

    assert list(_named(run)) == ["engine"]
    assert run.document["installed"] == []
    assert _settings(run)["installer"] == {"value": installer, "origin": "PASSBUILD_INSTALLER"}
    assert run.seen["modules"]["engine"]["file"].startswith(str(host))


@pytest.mark.parametrize(
    ("layers", "value"),
    [
        (1, "install"),
        (2, "host"),
        (3, "install"),
        (4, "host"),
    ],
)
def test_of_single_values_the_later_source_wins(bench: Bench, layers: int, value: str) -> None:
    """The project's table, the user's file, the variable, the option: each beats those before it."""
    toml = '[tool.passbuild]\npassthrough = ["engine"]\non-mismatch = "install"'
    project = bench.project(requires=["engine>=2"], toml=toml)
    environ = _user_file(bench, 'on-mismatch = "host"' if layers > 1 else "")
    environ |= {"PASSBUILD_ON_MISMATCH": "install"} if layers > 2 else {}
    options = ["--on-mismatch", "host"] if layers > 3 else []

    run = bench.passbuild("plan", project, "--host", bench.host(*_HOST), *options, environ=environ)

    assert run.code == 0, run.stderr
    assert _settings(run)["on-mismatch"]["value"] == value
    assert run.decision("engine")["action"] == {"install": "install", "host": "pass"}[value]


def test_a_package_table_counts_for_that_project_alone(bench: Bench) -> None:
    """`[package.NAME]` in the user's file holds for the project of that name, and beats the file's top level."""
    text = 'on-missing = "install"\n[package.my-Sample]\npassthrough = ["engine"]\non-missing = "error"\n'
    environ = _user_file(bench, text)
    mine = bench.project(name="mine", toml='[project]\nname = "My.sample"\nversion = "1.0"')
    other = bench.project(name="other", toml='[project]\nname = "other"\nversion = "1.0"')
    host = bench.host(*_HOST)

    runs = [bench.passbuild("plan", project, "--host", host, environ=environ) for project in (mine, other)]

    assert [list(_named(run)) for run in runs] == [["engine"], []]
    assert [_settings(run)["on-missing"]["value"] for run in runs] == ["error", "install"]


def test_no_passthrough_takes_a_name_away(bench: Bench) -> None:
    """What an earlier source named is built in isolation after all; it is said who took it away."""
    toml = '[tool.passbuild]\npassthrough = ["engine", "tool"]'
    project = bench.project(requires=["engine"], toml=toml, imports=["engine"])
    host = bench.host(*_HOST)

    run = bench.passbuild("wheel", project, "--host", host, "--no-passthrough", "Engine")
    nothing = bench.passbuild("plan", project, "--host", host, environ={"PASSBUILD_NO_PASSTHROUGH": ":all:"})

    assert list(_named(run)) == ["tool"]
    assert run.versions("installed") == {"engine": "2.0", "fuel": "2.0"}
    assert _settings(run)["no-passthrough"] == [{"value": "engine", "origin": "--no-passthrough"}]
    assert _named(nothing) == {}


def test_a_later_source_names_again_what_an_earlier_one_took_away(bench: Bench) -> None:
    """The option beats the variable."""
    project = bench.project()
    environ = {"PASSBUILD_NO_PASSTHROUGH": "engine"}

    run = bench.passbuild("plan", project, "--host", bench.host(*_HOST), "--passthrough", "engine", environ=environ)

    assert list(_named(run)) == ["engine"]


def test_variables_hold_lists_and_requirements(bench: Bench) -> None:
    """Names are separated by spaces or commas; a specifier with a comma stays whole."""
    project = bench.project()
    environ = {"PASSBUILD_PASSTHROUGH": "engine>=1,<2 fuel,tool", "PASSBUILD_BUILD_REQUIRES": "plugin<2"}

    run = bench.passbuild("plan", project, "--host", bench.host(*_HOST), environ=environ)

    assert list(_named(run)) == ["engine", "fuel", "tool"]
    assert run.decision("engine")["wanted"] == "engine<2,>=1 (PASSBUILD_PASSTHROUGH)"
    assert "plugin<2" in run.document["to_install"]


def test_every_option_has_its_variable(bench: Bench) -> None:
    """PASSBUILD_OUTDIR, PASSBUILD_JSON, PASSBUILD_CONFIG_SETTING and so on do what the options do."""
    project = bench.project(requires=["tool"])
    constraints = bench.folder / "constraints.txt"
    constraints.write_text("tool<2\n", encoding="utf-8")
    environ = {
        "PASSBUILD_HOST": str(bench.host(*_HOST)),
        "PASSBUILD_OUTDIR": "elsewhere",
        "PASSBUILD_JSON": "1",
        "PASSBUILD_CONFIG_SETTING": "one=1 'two=2 words'",
        "PASSBUILD_BUILD_CONSTRAINT": str(constraints),
        "PASSBUILD_QUIET": "1",
    }

    run = bench.passbuild("wheel", project, outdir=None, json=False, environ=environ)

    assert run.code == 0, run.stderr
    assert run.stderr == ""
    assert run.document["artifacts"][0]["path"] == str(bench.folder / "elsewhere" / "sample-1.0-py3-none-any.whl")
    assert run.seen["config_settings"] == {"one": "1", "two": "2 words"}
    assert run.versions("installed") == {"tool": "1.0"}


def test_the_configuration_file_can_be_another(bench: Bench) -> None:
    """--config-file and PASSBUILD_CONFIG_FILE name it; one that is not there is a mistake."""
    project = bench.project()
    file = bench.folder / "mine.toml"
    file.write_text('passthrough = ["engine"]', encoding="utf-8")
    host = bench.host(*_HOST)

    by_option = bench.passbuild("plan", project, "--host", host, "--config-file", "mine.toml")
    by_variable = bench.passbuild("plan", project, "--host", host, environ={"PASSBUILD_CONFIG_FILE": str(file)})
    absent = bench.passbuild("plan", project, "--host", host, "--config-file", "absent.toml")

    assert _named(by_option) == _named(by_variable) == {"engine": [f"{file} passthrough[0]"]}
    assert absent.code == 2
    assert "absent.toml" in absent.error["message"]


@pytest.mark.parametrize(
    ("toml", "place"),
    [
        ('[tool.passbuild]\npassthrough = ["fine", "not a name"]', "pyproject.toml [tool.passbuild] passthrough[1]"),
        ('[tool.passbuild]\nno-passthrough = ["-x"]', "pyproject.toml [tool.passbuild] no-passthrough[0]"),
        (
            '[tool.uv]\nno-build-isolation-package = ["a/b"]',
            "pyproject.toml [tool.uv] no-build-isolation-package[0]",
        ),
        ('[tool.passbuild]\npassthrough = "engine"', "pyproject.toml [tool.passbuild] passthrough"),
        ('[tool.passbuild]\non-mismatch = "perhaps"', "pyproject.toml [tool.passbuild] on-mismatch"),
        ("[tool]\npassbuild = 1", "pyproject.toml tool.passbuild"),
    ],
)
def test_a_mistake_in_pyproject_is_told_with_file_table_and_index(bench: Bench, toml: str, place: str) -> None:
    """Exit 2, and the place can be found with the eye."""
    project = bench.project(toml=toml)

    run = bench.passbuild("wheel", project, "--host", bench.host(*_HOST))

    assert run.code == 2
    assert run.error["code"] == "invalid-settings"
    assert [problem["place"] for problem in run.error["problems"]] == [place]
    assert place in run.stderr


def test_mistakes_of_all_sources_are_told_together(bench: Bench) -> None:
    """One run shows all of them: project, user's file, variable and option."""
    project = bench.project(toml='[tool.passbuild]\npasstrough = ["engine"]')
    environ = {**_user_file(bench, 'pass-through = ["engine"]\n[package.x]\nhost = "3.12"'), "PASSBUILD_HOTS": "x"}

    run = bench.passbuild("plan", project, "--passthrough", "two words", environ=environ)

    file = bench.folder / "config" / "passbuild" / "config.toml"
    assert run.code == 2
    assert [problem["place"] for problem in run.error["problems"]] == [
        "pyproject.toml [tool.passbuild] passtrough",
        f"{file} pass-through",
        f"{file} [package.x] host",
        "PASSBUILD_HOTS",
        "--passthrough",
    ]
    assert "did you mean 'passthrough'?" in run.error["hint"]
    assert "did you mean 'PASSBUILD_HOST'?" in run.error["hint"]


def test_the_projects_own_mistake_in_another_file_is_found(bench: Bench) -> None:
    """A user's file that is no TOML is named with the reason."""
    project = bench.project()

    run = bench.passbuild("plan", project, environ=_user_file(bench, "passthrough = [engine]"))

    assert run.code == 2
    assert str(bench.folder / "config" / "passbuild" / "config.toml") in run.error["message"]


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("isolated", "[tool.passbuild]: passthrough"),
        ("require", "did you mean 'requires'?"),
        ("build_backend", "did you mean 'build-backend'?"),
    ],
)
def test_unknown_keys_of_the_build_system_table_are_refused(bench: Bench, key: str, hint: str) -> None:
    """The table is the standard's; the hint says where our names go, or which key was meant."""
    project = bench.project()
    file = project / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[build-system]", f'[build-system]\n{key} = ["engine"]'), encoding="utf-8")

    run = bench.passbuild("wheel", project, "--host", bench.host(*_HOST))

    assert run.code == 2
    assert run.error["code"] == "invalid-project"
    assert f"pyproject.toml [build-system] {key}" in run.error["message"]
    assert hint in run.error["hint"]


def test_a_mistyped_table_of_ours_is_told(bench: Bench) -> None:
    """It would name packages that nobody passes; the table of another tool is no mistake."""
    mistyped = bench.project(name="mistyped", toml='[tool.pasbuild]\npassthrough = ["engine"]')
    other = bench.project(name="other", toml="[tool.pybuild]\nx = 1")

    runs = [bench.passbuild("plan", project, "--host", bench.host(*_HOST)) for project in (mistyped, other)]

    assert [run.code for run in runs] == [2, 0]
    assert "pyproject.toml [tool.pasbuild]" in runs[0].error["message"]
    assert runs[0].error["hint"] == "did you mean [tool.passbuild]?"


@pytest.mark.parametrize("key", ["build_isolation_passthrough", "build-isolation-passthrough"])
def test_the_drafts_key_in_the_build_system_table_names_what_passes_through(bench: Bench, key: str) -> None:
    """The draft PEP's own key, in either spelling; `no-passthrough` takes away from it as from any other source."""
    project = bench.project()
    file = project / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[build-system]", f'[build-system]\n{key} = ["engine"]'), encoding="utf-8")
    host = bench.host(*_HOST)

    named = bench.passbuild("plan", project, "--host", host)
    taken = bench.passbuild("plan", project, "--host", host, "--no-passthrough", "engine")

    assert named.code == 0
    assert [item["name"] for item in named.document["passed"] if item["named"]] == ["engine"]
    assert named.document["settings"]["passthrough"] == [
        {"value": "engine", "origin": f"pyproject.toml [build-system] {key}[0]"}
    ]
    assert [item["name"] for item in taken.document["passed"]] == []


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ("requires = []", 'requires = ["engine >> 2"]', "[build-system] requires[0]"),
        ("requires = []", 'requires = "engine"', "[build-system] requires"),
        ("requires = []", "", "[build-system]"),
        ('["backend"]', '["nowhere"]', "[build-system] backend-path[0]"),
        ('["backend"]', '["../outside"]', "[build-system] backend-path[0]"),
        ("[build-system]", "[build-systems]", "[build-systems]"),
    ],
)
def test_a_wrong_build_system_table_is_told_with_its_place(bench: Bench, before: str, after: str, place: str) -> None:
    """Exit 2 before anything is made."""
    project = bench.project()
    (bench.folder / "outside").mkdir()
    file = project / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")

    run = bench.passbuild("wheel", project, "--host", bench.host(*_HOST))

    assert run.code == 2
    assert run.error["code"] == "invalid-project"
    assert [problem["place"] for problem in run.error["problems"]] == [f"pyproject.toml {place}"]


def test_an_unknown_choice_on_the_command_line_is_a_wrong_usage(bench: Bench) -> None:
    """Exit 2 with the choices."""
    run = bench.passbuild("wheel", bench.project(), "--on-mismatch", "perhaps")

    assert run.code == 2
    assert "'error', 'install', 'host'" in run.stderr


def test_relative_paths_belong_to_where_they_stand(bench: Bench) -> None:
    """A constraints file in pyproject.toml is relative to the project, an option to the current folder."""
    project = bench.project(requires=["tool", "fuel"], toml='[tool.passbuild]\nbuild-constraints = ["limits.txt"]')
    (project / "limits.txt").write_text("tool<2\n", encoding="utf-8")
    here: Path = bench.folder / "here"
    here.mkdir()
    (here / "limits.txt").write_text("fuel<2\n", encoding="utf-8")

    run = bench.passbuild("wheel", project, "--host", bench.host(*_HOST), "--build-constraint", "limits.txt", cwd=here)

    assert run.code == 0, run.stderr
    assert run.versions("installed") == {"fuel": "1.0", "tool": "1.0"}
