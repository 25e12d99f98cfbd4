"""Compile against headers that a wheel puts below the prefix."""

import sys
from pathlib import Path

from setuptools import Extension, setup

setup(ext_modules=[Extension("year_of_mkl", ["year_of_mkl.c"], include_dirs=[str(Path(sys.prefix) / "include")])])
