"""passbuild: isolated builds that take named packages from your own environment."""

from passbuild.api import (
    build_environment,
    build_sdist,
    build_sdist_and_wheel,
    build_wheel,
    make_plan,
    prepare_metadata,
)
from passbuild.errors import PassbuildError
from passbuild.report import Report
from passbuild.version import __version__

__all__ = [
    "PassbuildError",
    "Report",
    "__version__",
    "build_environment",
    "build_sdist",
    "build_sdist_and_wheel",
    "build_wheel",
    "make_plan",
    "prepare_metadata",
]
