"""The registry of settings."""

from __future__ import annotations

from passbuild.settings.keys import CONFIG_FILE, KEYS


def test_names_fields_and_variables_are_unique() -> None:
    """No two settings share a name, a Python identifier, an option or a variable."""
    keys = (*KEYS, CONFIG_FILE)
    flags = [flag for key in keys for flag in (key.flags or (f"--{key.name}",))]

    for values in ([key.name for key in keys], [key.field for key in keys], [key.variable for key in keys], flags):
        assert len(set(values)) == len(values)


def test_variable_follows_the_long_option() -> None:
    """Whoever knows the option knows the variable."""
    variables = {key.name: key.variable for key in KEYS}

    assert variables["build-constraints"] == "PASSBUILD_BUILD_CONSTRAINT"
    assert variables["host"] == "PASSBUILD_HOST"
    assert variables["config-settings"] == "PASSBUILD_CONFIG_SETTING"
