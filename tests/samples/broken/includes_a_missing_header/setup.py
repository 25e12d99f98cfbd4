from setuptools import Extension, setup

setup(ext_modules=[Extension("valve", ["valve.c"])])
