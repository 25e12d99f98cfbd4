"""Make the terminal picture of the README from a real run.

``python docs/pictures.py HOST`` builds ``examples/torch-extension`` against HOST, an environment with torch, installs
the wheel there, calls it, and writes what the terminal shows to ``docs/pictures/torch-extension.svg``. It works on a
copy of the example in a temporary folder, which the picture calls ``~/project``.
"""
# ruff: noqa: INP001 - a script, not a package

import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "pictures" / "torch-extension.svg"
COMMANDS = (
    "passbuild wheel torch-extension",
    "pip install --quiet --no-deps --force-reinstall torch-extension/dist/torch_ops-*.whl",
    'python -c "import torch, torch_ops; print(torch_ops.scaled_sum(torch.ones(3), torch.arange(3.0), 2))"',
)


def main() -> None:
    """Run the commands with HOST active, and write the picture."""
    host = Path(sys.argv[1]).absolute()
    environ = {
        **os.environ,
        "VIRTUAL_ENV": str(host),
        "PATH": os.pathsep.join([str(host / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PASSBUILD_COLOR": "always",
        "TERM": "xterm-256color",
    }
    console = Console(record=True, width=104, file=io.StringIO(), force_terminal=True, highlight=False)
    with tempfile.TemporaryDirectory() as folder:
        left_over = shutil.ignore_patterns("build", "dist", "*.egg-info")
        shutil.copytree(ROOT / "examples" / "torch-extension", Path(folder, "torch-extension"), ignore=left_over)
        for command in COMMANDS:
            console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
            finished = subprocess.run(  # noqa: S602 - our own commands, as a person types them
                command,
                shell=True,
                cwd=folder,
                env=environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                check=True,
            )
            if finished.stdout:
                console.print(Text.from_ansi(finished.stdout.replace(folder, "~/project").rstrip("\n")))
    console.save_svg(str(PICTURE), title="passbuild wheel", theme=MONOKAI)


if __name__ == "__main__":
    main()
