"""Five sources, merged: the later wins, lists add up, names can be taken away, every mistake is told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from passbuild.errors import InvalidSettings
from passbuild.settings.merge import Given, collected
from passbuild.settings.model import OnMismatch, Settings
from tests.unit.fakes import project, surroundings

if TYPE_CHECKING:
    from pathlib import Path


def collect(
    folder: Path,
    tool: dict[str, object] | None = None,
    user: str = "",
    environ: dict[str, str] | None = None,
    **options: object,
) -> Settings:
    """Collect the settings of a project from these sources."""
    (folder / "config.toml").write_text(user)
    given = Given(values=options, spelled_as_options=True)
    return collected(project(pyproject={"tool": tool or {}}), surroundings(folder, **(environ or {})), given)


def names(settings: Settings) -> list[tuple[str, str]]:
    """Return the passthrough requirements with their origins."""
    return [(str(item.value), item.origin) for item in settings.passthrough]


def test_lists_of_all_sources_add_up_with_their_origins(tmp_path: Path) -> None:
    """Each passthrough name knows where it was named."""
    settings = collect(
        tmp_path,
        tool={"uv": {"no-build-isolation-package": ["a"]}, "passbuild": {"passthrough": ["b", "c>=2"]}},
        user='passthrough = ["d"]\n[package.Project]\npassthrough = ["e"]\n[package.other]\npassthrough = ["x"]\n',
        environ={"PASSBUILD_PASSTHROUGH": "f g>=1,<2,h[x,y]"},
        passthrough=("i",),
    )

    assert names(settings) == [
        ("a", "pyproject.toml [tool.uv] no-build-isolation-package[0]"),
        ("b", "pyproject.toml [tool.passbuild] passthrough[0]"),
        ("c>=2", "pyproject.toml [tool.passbuild] passthrough[1]"),
        ("d", f"{tmp_path / 'config.toml'} passthrough[0]"),
        ("e", f"{tmp_path / 'config.toml'} [package.Project] passthrough[0]"),
        ("f", "PASSBUILD_PASSTHROUGH"),
        ("g<2,>=1", "PASSBUILD_PASSTHROUGH"),
        ("h[x,y]", "PASSBUILD_PASSTHROUGH"),
        ("i", "--passthrough"),
    ]


@pytest.mark.parametrize("taken", ["torch", "TORCH", ":all:"])
def test_name_can_be_taken_away(taken: str, tmp_path: Path) -> None:
    """--no-passthrough takes away what earlier sources named."""
    settings = collect(tmp_path, tool={"passbuild": {"passthrough": ["Torch>=2"]}}, no_passthrough=(taken,))

    assert settings.passthrough == ()
    assert [(item.value, item.origin) for item in settings.taken_away] == [("torch", "--no-passthrough")]


def test_later_source_names_again_what_an_earlier_took_away(tmp_path: Path) -> None:
    """The later source wins over the earlier in both directions."""
    settings = collect(tmp_path, environ={"PASSBUILD_NO_PASSTHROUGH": "torch"}, passthrough=("torch",))

    assert names(settings) == [("torch", "--passthrough")]
    assert settings.taken_away == ()


def test_everything_earlier_can_be_taken_away_for_one_name(tmp_path: Path) -> None:
    """:all: takes away what earlier sources named, not what stands beside it: together they say `only`."""
    tool: dict[str, object] = {"passbuild": {"passthrough": ["numpy", "torch"]}}

    settings = collect(tmp_path, tool=tool, no_passthrough=(":all:",), passthrough=("torch>=2",))

    assert names(settings) == [("torch>=2", "--passthrough")]
    assert [item.value for item in settings.taken_away] == ["numpy"]


def test_later_scalar_wins(tmp_path: Path) -> None:
    """Project, then user, then environment, then command line."""
    tool: dict[str, object] = {"passbuild": {"on-mismatch": "host"}}

    project_only = collect(tmp_path, tool=tool)
    with_user = collect(tmp_path, tool=tool, user='on-mismatch = "install"')
    with_environ = collect(
        tmp_path, tool=tool, user='on-mismatch = "install"', environ={"PASSBUILD_ON_MISMATCH": "error"}
    )
    with_option = collect(tmp_path, environ={"PASSBUILD_ON_MISMATCH": "error"}, on_mismatch="host")

    assert [item.on_mismatch.value for item in (project_only, with_user, with_environ, with_option)] == [
        OnMismatch.HOST,
        OnMismatch.INSTALL,
        OnMismatch.ERROR,
        OnMismatch.HOST,
    ]
    assert with_option.on_mismatch.origin == "--on-mismatch"


def test_defaults_say_that_they_are_defaults(tmp_path: Path) -> None:
    """A value that nobody set has the origin `default`."""
    settings = collect(tmp_path)

    assert (settings.on_mismatch.value, settings.on_mismatch.origin) == (OnMismatch.ERROR, "default")
    assert settings.host is None


def test_config_settings_of_one_source_make_lists_and_of_a_later_one_replace(tmp_path: Path) -> None:
    """-C a=1 -C a=2 is a list; it replaces what a file says about the same key."""
    settings = collect(
        tmp_path,
        tool={"passbuild": {"config-settings": {"a": "0", "b": ["x", "y"]}}},
        config_settings=("a=1", "a=2", "c"),
    )

    assert settings.config_settings == {"a": ["1", "2"], "b": ["x", "y"], "c": ""}


def test_config_json_is_taken_as_it_is(tmp_path: Path) -> None:
    """--config-json gives a whole object."""
    assert collect(tmp_path, config_json='{"a": ["1"], "b": "2"}').config_settings == {"a": ["1"], "b": "2"}


def test_paths_are_relative_to_where_they_are_written(tmp_path: Path) -> None:
    """A constraints file of the user's file lies beside that file, one of the command line below the current folder."""
    for name in ("limits.txt", "more.txt"):
        (tmp_path / name).write_text("")

    settings = collect(tmp_path, user='build-constraints = ["limits.txt"]', build_constraints=("more.txt",))

    assert [item.value for item in settings.build_constraints] == [tmp_path / "limits.txt", tmp_path / "more.txt"]


def test_every_mistake_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    """File, table and index of each mistake stand in one error."""
    with pytest.raises(InvalidSettings) as raised:
        collect(
            tmp_path,
            tool={
                "uv": {"no-build-isolation-package": "torch"},
                "passbuild": {
                    "passthrough": ["ok", "no good!", 3],
                    "pasthrough": [],
                    "on-mismatch": "stop",
                    "host": "x",
                },
            },
            user='build-constraints = ["gone.txt"]\n[package]\ntorch = 1\n"no name" = {}\n',
            environ={"PASSBUILD_ON_MISING": "error"},
            config_json="[1]",
        )

    places = [mistake.place for mistake in raised.value.mistakes]
    assert sorted(places) == sorted(
        [
            "pyproject.toml [tool.uv] no-build-isolation-package",
            "pyproject.toml [tool.passbuild] passthrough[1]",
            "pyproject.toml [tool.passbuild] passthrough[2]",
            "pyproject.toml [tool.passbuild] pasthrough",
            "pyproject.toml [tool.passbuild] on-mismatch",
            "pyproject.toml [tool.passbuild] host",
            f"{tmp_path / 'config.toml'} build-constraints[0]",
            f"{tmp_path / 'config.toml'} [package.torch]",
            f"{tmp_path / 'config.toml'} [package.no name]",
            "PASSBUILD_ON_MISING",
            "--config-json",
        ]
    )
    assert "did you mean 'passthrough'?" in raised.value.hint
    assert "did you mean 'PASSBUILD_ON_MISSING'?" in raised.value.hint


def test_unknown_argument_of_the_api_is_a_mistake(tmp_path: Path) -> None:
    """A misspelt keyword is not ignored."""
    with pytest.raises(InvalidSettings, match="pasthrough="):
        collect(tmp_path, pasthrough=["torch"])


def test_config_file_that_was_asked_for_has_to_exist(tmp_path: Path) -> None:
    """The usual file may be missing, a named one may not."""
    given = Given(values={}, spelled_as_options=True, config_file=tmp_path / "mine.toml")

    with pytest.raises(InvalidSettings, match=r"mine\.toml: there is no such"):
        collected(project(), surroundings(tmp_path), given)


def test_empty_values_count_as_not_given(tmp_path: Path) -> None:
    """A pipeline whose variable is empty passes `--host ''`."""
    settings = collect(tmp_path, environ={"PASSBUILD_ON_MISSING": ""}, host="", outdir="", passthrough=("",))

    assert (settings.host, settings.outdir, settings.passthrough) == (None, None, ())


def test_value_of_another_type_is_a_mistake(tmp_path: Path) -> None:
    """The API takes no number for a folder."""
    with pytest.raises(InvalidSettings, match="--outdir: has to be a string"):
        collect(tmp_path, outdir=3)
