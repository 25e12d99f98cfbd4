"""Run the command line: ``python -m passbuild``."""

from passbuild.cli import start

if __name__ == "__main__":
    start()
