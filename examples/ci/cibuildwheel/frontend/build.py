"""``python -m build`` as cibuildwheel calls it, handed over to passbuild.

cibuildwheel 4 runs ``python -m build FOLDER --wheel --outdir=FOLDER [-v] [-C…]``, all of which passbuild understands.
"""

import os
import subprocess
import sys

if __name__ == "__main__":
    program = os.environ.get("BUILD_WITH", "passbuild")
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    arguments = [argument for argument in sys.argv[1:] if argument != "--wheel"]
    sys.exit(subprocess.run([program, "wheel", *arguments], env=environ, check=False).returncode)
