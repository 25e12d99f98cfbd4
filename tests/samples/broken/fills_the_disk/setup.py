from pathlib import Path

from setuptools import setup

Path("tables.bin").write_bytes(bytes(50_000_000))

setup()
