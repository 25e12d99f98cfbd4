"""Run the command line: ``python -m passbuild``."""

from passbuild.cli import main

if __name__ == "__main__":
    main()
