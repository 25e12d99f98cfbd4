"""Make the pictures of the terminal in the README and the documentation, by really running the commands.

``python docs/pictures.py HOST`` works with HOST, an environment with torch, in a copy of the examples in a temporary
folder, which the pictures call ``~/project``; the host is called ``~/envs/ml``. Each picture is what a terminal of so
many columns shows in the end.
"""
# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import argparse
import fcntl
import io
import os
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from dataclasses import dataclass
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, MONOKAI
from rich.text import Text

ROOT = Path(__file__).parents[1]
_ROWS = 200
_INSTALL = "python -m pip install --quiet --no-deps --force-reinstall torch-extension/dist/torch_ops-*.whl"
_CALL = 'python -c "import torch, torch_ops; print(torch_ops.scaled_sum(torch.ones(3), torch.arange(3.0), 2))"'


@dataclass(frozen=True)
class Picture:
    """What is typed for one picture."""

    name: str
    commands: tuple[str, ...]


PICTURES = (
    Picture("torch-extension", ("passbuild wheel ./torch-extension", _INSTALL, _CALL)),
    Picture("plan", ("passbuild plan ./torch-extension",)),
    Picture("refused", ("passbuild wheel ./torch-extension --passthrough 'torch<2'",)),
    Picture("failed", ("passbuild wheel ./broken",)),
    Picture("doctor", ("passbuild doctor ./torch-extension",)),
)


def main() -> None:
    """Run the commands with HOST active, and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host", type=Path)
    parser.add_argument("names", nargs="*", help="of the pictures; all without one")
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--light", action="store_true", help="on a light ground")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    arguments = parser.parse_args()
    for picture in PICTURES:
        if not arguments.names or picture.name in arguments.names:
            _draw(picture, arguments)


def _draw(picture: Picture, arguments: argparse.Namespace) -> None:
    console = Console(record=True, width=arguments.columns, file=io.StringIO(), force_terminal=True, highlight=False)
    with tempfile.TemporaryDirectory(prefix="pictures-") as name:
        folder = Path(name) / "project"
        _fill(folder)
        host = Path(name) / "envs" / "ml"
        host.parent.mkdir()
        subprocess.run(["/bin/cp", "--archive", "--link", arguments.host.resolve(), host], check=True)
        environ = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("PASSBUILD_", "PYTHON"))},
            "VIRTUAL_ENV": str(host),
            "PATH": os.pathsep.join([str(host / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "PASSBUILD_REBUILD": "1",
        }
        for command in picture.commands:
            console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
            for line in _screen(command, folder, environ, arguments.columns):
                console.print(_renamed(line, {str(folder): "~/project", str(host): "~/envs/ml", name: "/tmp"}))  # noqa: S108 - a name to show
    theme = DEFAULT_TERMINAL_THEME if arguments.light else MONOKAI
    arguments.out.mkdir(parents=True, exist_ok=True)
    console.save_svg(str(arguments.out / f"{picture.name}.svg"), title="passbuild", theme=theme)


def _fill(folder: Path) -> None:
    """Copy the example, and one that includes a header which is not there."""
    left_over = shutil.ignore_patterns("build", "dist", "*.egg-info", "*.so")
    shutil.copytree(ROOT / "examples" / "torch-extension", folder / "torch-extension", ignore=left_over)
    shutil.copytree(ROOT / "tests" / "samples" / "broken" / "includes_a_missing_header", folder / "broken")


def _screen(command: str, folder: Path, environ: dict[str, str], columns: int) -> list[Text]:
    """Run a command on a terminal, and return the lines that it shows in the end."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, columns, 0, 0))
    screen = pyte.Screen(columns, _ROWS)
    stream = pyte.ByteStream(screen)
    with subprocess.Popen(
        ["/bin/bash", "-c", command], cwd=folder, env=environ, stdin=slave, stdout=slave, stderr=slave
    ) as process:
        os.close(slave)
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:  # the other side is closed
                break
            stream.feed(data)
        process.wait()
    os.close(master)
    lines = [_line(screen, row) for row in range(_ROWS)]
    while lines and not lines[-1].plain:
        lines.pop()
    return lines


def _line(screen: pyte.Screen, row: int) -> Text:
    text = Text()
    for column in range(screen.columns):
        cell = screen.buffer[row][column]
        color = {"default": None, "brown": "yellow"}.get(cell.fg, cell.fg)
        text.append(cell.data, Style(color=color, bold=cell.bold))
    text.rstrip()
    return text


def _renamed(line: Text, names: dict[str, str]) -> Text:
    for path, name in names.items():
        while path in line.plain:
            begin = line.plain.index(path)
            line = Text.assemble(line[:begin], name, line[begin + len(path) :])
    return line


if __name__ == "__main__":
    main()
