import numpy
from setuptools import Extension, setup

setup(ext_modules=[Extension("total", ["total.pyx"], include_dirs=[numpy.get_include()])])
