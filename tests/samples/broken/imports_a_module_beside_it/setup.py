import pump_version
from setuptools import setup

setup(version=pump_version.VERSION)
