"""Link extension modules to a library in a folder beside them, as repaired wheels have it."""

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext  # type: ignore[import-untyped, unused-ignore]  # new setuptools has types


class LibraryFirst(build_ext):  # type: ignore[misc, unused-ignore]  # likewise
    """Compile the library, then what is linked to it."""

    def build_extensions(self) -> None:
        """Compile all."""
        folder = Path(self.build_lib) / "beside.libs"
        objects = self.compiler.compile(["library.c"], output_dir=self.build_temp)
        self.compiler.link_shared_lib(objects, "beside", output_dir=str(folder))
        self.compiler.add_library_dir(str(folder))
        super().build_extensions()


def _linked(name: str, origin: str) -> Extension:
    rpath = f"-Wl,-rpath,$ORIGIN/{origin}"
    return Extension(name, ["module.c"], libraries=["beside"], extra_link_args=[rpath])


setup(
    ext_modules=[_linked("single", "beside.libs"), _linked("inside.part", "../beside.libs")],
    cmdclass={"build_ext": LibraryFirst},
)
