"""passbuild: isolated builds that take named packages from your own environment."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from passbuild.version import __version__

if TYPE_CHECKING:
    from passbuild.api import (
        build_environment,
        build_sdist,
        build_sdist_and_wheel,
        build_wheel,
        install,
        make_plan,
        prepare_metadata,
    )
    from passbuild.errors import PassbuildError
    from passbuild.report import Report, Summary

__all__ = [
    "PassbuildError",
    "Report",
    "Summary",
    "__version__",
    "build_environment",
    "build_sdist",
    "build_sdist_and_wheel",
    "build_wheel",
    "install",
    "make_plan",
    "prepare_metadata",
]


def __getattr__(name: str) -> object:
    """Import what is public when it is asked for (PEP 562): the command line starts without it."""
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    module = {"PassbuildError": "errors", "Report": "report", "Summary": "report"}.get(name, "api")
    return getattr(importlib.import_module(f"passbuild.{module}"), name)
