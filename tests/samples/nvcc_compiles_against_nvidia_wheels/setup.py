"""Let nvcc compile one source with the include folders of the nvidia wheels that show."""

import importlib.resources
import subprocess
import sysconfig
from pathlib import Path

import nvidia  # type: ignore[import-not-found]  # it is in the build environment alone
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext  # type: ignore[import-untyped]  # it is too


class Nvcc(build_ext):  # type: ignore[misc]  # and so it is Any
    """Look for header folders as extensions for CUDA do: along the path of the namespace package."""

    def build_extension(self, ext: Extension) -> None:
        """Compile and link in one call."""
        assert (importlib.resources.files("nvidia.cu13") / "include" / "nvml.h").is_file()
        includes = [folder for root in nvidia.__path__ for folder in sorted(Path(root).glob("*/include"))]
        options = [f"-I{folder}" for folder in (*includes, sysconfig.get_path("include"))]
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["nvcc", "-shared", "-Xcompiler", "-fPIC", *options, "-o", str(target), *ext.sources], check=True
        )


setup(ext_modules=[Extension("on_device", ["on_device.cu"])], cmdclass={"build_ext": Nvcc})
