"""Compile with CMake and ninja in `build_ext`, with nothing that would know about Python packages."""

import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext  # type: ignore[import-untyped, unused-ignore]  # new setuptools has types


class CMakeBuild(build_ext):  # type: ignore[misc, unused-ignore]  # likewise
    """Let CMake build the one extension."""

    def build_extension(self, ext: Extension) -> None:
        """Configure, build and install."""
        target = Path(self.get_ext_fullpath(ext.name)).resolve().parent
        defined = [f"-DPython_EXECUTABLE={sys.executable}", f"-DCMAKE_INSTALL_PREFIX={target}"]
        subprocess.run(["cmake", "-G", "Ninja", "-S", ".", "-B", "build/cmake", *defined], check=True)
        subprocess.run(["cmake", "--build", "build/cmake"], check=True)
        subprocess.run(["cmake", "--install", "build/cmake"], check=True)


setup(ext_modules=[Extension("tripled", [])], cmdclass={"build_ext": CMakeBuild})
