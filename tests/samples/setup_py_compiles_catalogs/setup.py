"""Run a command that a plugin of setuptools brings."""

from setuptools import setup
from setuptools.command.build_py import build_py  # type: ignore[import-untyped, unused-ignore]  # new setuptools has types


class CatalogsFirst(build_py):  # type: ignore[misc, unused-ignore]  # likewise
    """Compile the message catalogs, then collect the package."""

    def run(self) -> None:
        """Run both."""
        self.run_command("compile_catalog")
        super().run()


setup(cmdclass={"build_py": CatalogsFirst})
