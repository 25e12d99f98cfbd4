"""Find in a failed hook's output what went wrong first: of the compiler, the linker, CMake, Meson, Cython or Python.

A Python exception that only says that a program failed is a consequence: then the program's own words are looked for,
from the command on that failed. What matches nothing here stays as it is: no cause is better than a wrong one.
"""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild.errors import Cause
from passbuild.process import without_escapes
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COMPILERS = r"(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+|cc1|cc1plus|gfortran|f951|nvcc|hipcc|mpicc|mpicxx|rustc|as|ld)"
_COMPILED = re.compile(
    r"(?P<file>(?:[A-Za-z]:)?[^\s:(][^:(]*):(?P<line>\d+):(?:\d+:)? *(?P<text>(?:fatal )?error: .+)"  # GCC, Clang
    r"|(?P<file_>[^\s(][^(]*)\((?P<line_>\d+)(?:,\d+)?\) ?: *"  # nvcc, MSVC
    r"(?P<text_>(?:catastrophic |fatal )?error(?: [A-Z]*\d+)?: .+)"
)
_FORTRAN = re.compile(r"(?P<file>[^\s:][^:]*):(?P<line>\d+):\d+:$")
_RUST = re.compile(r"error(?:\[E\d+\])?: (?!could not compile|aborting due to|process didn't exit)(?P<text>.+)")
_RUST_PLACE = re.compile(r"\s*--> (?P<file>.+):(?P<line>\d+):\d+$")
_LINKED = re.compile(
    r"(?P<text>(?:\S*/)?ld(?:\.\w+)?: (?:error: )?(?:cannot find|library not found|undefined|.*: undefined reference).*"
    r"|.*: undefined reference to .*|Undefined symbols for architecture .*|LINK : fatal error .*)"
)
_PROGRAM = rf"(?:\S*/)?(?:[\w.-]*-)?{_COMPILERS}(?:-\d+)?"
_TOOL = re.compile(rf"(?P<text>{_PROGRAM}(?:\.exe)? ?:? *(?:fatal error|error|fatal) *: .+)")
_CMAKE = re.compile(r"CMake Error(?: at (?P<file>[^:]+):(?P<line>\d+) \(.*\):|: (?P<text>.+)|:$)")
_MESON = re.compile(r"(?P<file>\S+):(?P<line>\d+):\d+: ERROR: (?P<text>.+)")
_CYTHON = re.compile(r"(?P<file>\S+\.(?:pyx|pxd|pxi|py)):(?P<line>\d+):\d+: (?P<text>(?!warning|performance).+)")
_CYTHON_BEGIN = "Error compiling Cython file:"
_FRAME = re.compile(r'  File "(?P<file>[^"]+)", line (?P<line>\d+)')
_TRACEBACK = "Traceback (most recent call last):"
_BECAUSE = "The above exception was the direct cause of the following exception:"
_RAISED = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?:: (?P<text>.*))?$")
_CONSEQUENCE = re.compile(
    r"(?:[\w.]*(?:CalledProcessError|CompileError|LinkError|DistutilsExecError|ExecError|FailedLiveProcessError|BackendInvalid)\b"
    r"|RuntimeError: Error compiling objects"
    r"|.*(?:non-zero exit status|failed with exit (?:code|status)))"
)
_COMMAND = re.compile(rf"{_PROGRAM} .* (?:-c|-o|-shared) ")
_SIGNS = ("rror", "ERROR", "undefined", "Undefined", "ld: ", "nvcc")
"""One of them is in every line that a pattern here matches; to look for them is faster."""
_FAILED = "FAILED: "
_SHOWN = 6
"""Lines of an excerpt."""


def found(output: Sequence[str], folder: Path) -> Cause | None:
    """Return what went wrong first, with the file as the project in `folder` calls it; None where nothing says so."""
    lines = [without_escapes(line) for line in output]
    raised = _raised(lines, folder)
    if raised is not None and not _CONSEQUENCE.match(raised.text):
        return raised
    return _of_programs(lines, folder) or raised or _said(lines)


def _of_programs(lines: Sequence[str], folder: Path) -> Cause | None:
    """Return the first error of a program, from the command on that failed, or else of all the output."""
    begin = _begin(lines)
    for part in (lines[begin:], lines) if begin else (lines,):
        causes = list(_errors(part, folder))
        if causes:
            others = {(item.file, item.line, item.text) for item in causes} - {
                (causes[0].file, causes[0].line, causes[0].text)
            }
            first = causes[0]
            return Cause(text=first.text, file=first.file, line=first.line, excerpt=first.excerpt, more=len(others))
    return None


def _said(lines: Sequence[str]) -> Cause | None:
    """Return the last line where that is an error, as setuptools ends with one."""
    last = next((line for line in reversed(lines) if line.strip()), "")
    is_cause = last.startswith("error: ") and not _CONSEQUENCE.match(last)
    return Cause(text=last, excerpt=(last,)) if is_cause else None


def _begin(lines: Sequence[str]) -> int:
    """Return where the command begins that failed: ninja marks it, setuptools shows each before it is run."""
    for index, line in enumerate(lines):
        if line.startswith(_FAILED):
            return index
    return next((index for index in range(len(lines) - 1, -1, -1) if _COMMAND.match(lines[index])), 0)


def _errors(lines: Sequence[str], folder: Path) -> Iterator[Cause]:
    is_cython = False
    for index, line in enumerate(lines):
        is_cython = is_cython or line.startswith(_CYTHON_BEGIN)
        if not is_cython and not any(sign in line for sign in _SIGNS):
            continue
        for reader in (_compiled, _rust, _fortran, _linked, _tool, _cmake, _meson):
            cause = reader(lines, index, folder)
            if cause is not None:
                yield cause
                break
        else:
            cause = _cython(lines, index, folder) if is_cython else None
            if cause is not None:
                yield cause


def _compiled(lines: Sequence[str], index: int, folder: Path) -> Cause | None:
    match = _COMPILED.match(lines[index])
    if match is None:
        return None
    file, line = match["file"] or match["file_"], match["line"] or match["line_"]
    excerpt = (lines[index], *_indented(lines[index + 1 :]))
    text = match["text"] or match["text_"]
    return Cause(text=text, file=_named(file, folder), line=int(line), excerpt=excerpt[:_SHOWN])


def _rust(lines: Sequence[str], index: int, folder: Path) -> Cause | None:
    match = _RUST.match(lines[index])
    place = _RUST_PLACE.match(lines[index + 1]) if match and index + 1 < len(lines) else None
    if match is None or place is None:
        return None
    block = takewhile(str.strip, lines[index:])
    excerpt = tuple(line for line, _ in zip(block, range(_SHOWN), strict=False))
    return Cause(text=lines[index], file=_named(place["file"], folder), line=int(place["line"]), excerpt=excerpt)


def _fortran(lines: Sequence[str], index: int, folder: Path) -> Cause | None:
    if not lines[index].startswith(("Error: ", "Fatal Error: ")):
        return None
    for before in range(index - 1, max(index - 6, -1), -1):
        match = _FORTRAN.match(lines[before])
        if match is not None:
            excerpt = tuple(lines[before : index + 1])
            return Cause(
                text=lines[index], file=_named(match["file"], folder), line=int(match["line"]), excerpt=excerpt
            )
    return None


def _linked(lines: Sequence[str], index: int, folder: Path) -> Cause | None:
    del folder
    match = _LINKED.match(lines[index])
    return Cause(text=match["text"].strip(), excerpt=(lines[index],)) if match else None


def _tool(lines: Sequence[str], index: int, folder: Path) -> Cause | None:
    del folder
    match = _TOOL.match(lines[index])
    return Cause(text=match["text"], excerpt=(lines[index], *_indented(lines[index + 1 :]))[:_SHOWN]) if match else None


def _cmake(lines: Sequence[str], index: int, folder: Path) -> Cause | None:
    match = _CMAKE.match(lines[index])
    if match is None:
        return None
    block = [line for line in takewhile(lambda text: not text or text.startswith("  "), lines[index + 1 :]) if line]
    text = match["text"] or (block[0].strip() if block else lines[index])
    file, line = match["file"] or "", int(match["line"] or 0)
    return Cause(text=text, file=_named(file, folder), line=line, excerpt=(lines[index], *block)[:_SHOWN])


def _meson(lines: Sequence[str], index: int, folder: Path) -> Cause | None:
    match = _MESON.match(lines[index])
    if match is None:
        return None
    return Cause(
        text=match["text"], file=_named(match["file"], folder), line=int(match["line"]), excerpt=(lines[index],)
    )


def _cython(lines: Sequence[str], index: int, folder: Path) -> Cause | None:
    match = _CYTHON.match(lines[index])
    if match is None:
        return None
    rule = "-" * 20
    code = [line for line in lines[max(index - _SHOWN, 0) : index] if line.strip() and not line.startswith(rule)]
    excerpt = (*code[-(_SHOWN - 2) :], lines[index])
    return Cause(text=match["text"], file=_named(match["file"], folder), line=int(match["line"]), excerpt=excerpt)


@frozen
class _Raise:
    """One traceback of the output."""

    frames: tuple[tuple[str, int, str], ...]
    """File, line number and source line of each frame."""
    text: str


def _raised(lines: Sequence[str], folder: Path) -> Cause | None:
    """Return the exception that ended the hook: the last one, or the first of those that it was caused by."""
    begins = [index for index, line in enumerate(lines) if line == _TRACEBACK]
    if not begins:
        return None
    chosen = len(begins) - 1
    while chosen > 0 and _BECAUSE in lines[begins[chosen - 1] : begins[chosen]]:
        chosen -= 1
    end = begins[chosen + 1] if chosen + 1 < len(begins) else len(lines)
    read = _traceback(lines[begins[chosen] + 1 : end])
    if read is None:
        return None
    own = [frame for frame in read.frames if _is_own(frame[0], folder)]
    if not own:
        return Cause(text=read.text, excerpt=tuple(read.text.splitlines()[:_SHOWN]))
    file, number, source = own[-1]
    file = "setup.py" if file == "<string>" else file
    source = source or _source(folder / file, number)
    shown = (f"{_named(file, folder)}:{number}: {source}" if source else f"{_named(file, folder)}:{number}", read.text)
    return Cause(text=read.text, file=_named(file, folder), line=number, excerpt=shown)


def _traceback(lines: Sequence[str]) -> _Raise | None:
    frames: list[tuple[str, int, str]] = []
    for index, line in enumerate(lines):
        match = _FRAME.match(line)
        if match is not None:
            after = lines[index + 1] if index + 1 < len(lines) else ""
            source = after.strip() if after.startswith("    ") else ""
            frames.append((match["file"], int(match["line"]), source))
        elif line and not line[0].isspace():
            return (
                _Raise(frames=tuple(frames), text=line) if _RAISED.match(line) or line.startswith("error: ") else None
            )
    return None


def _is_own(file: str, folder: Path) -> bool:
    """Whether a frame's file is one of the project; setuptools calls setup.py `<string>`."""
    if file == "<string>":
        return (folder / "setup.py").is_file()
    path = folder / file
    return path.is_relative_to(folder) and path.is_file() and "site-packages" not in path.parts


def _source(file: Path, number: int) -> str:
    """Return a line of a file of the project; empty where there is none."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def _indented(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(takewhile(lambda line: line[:1].isspace() and line.strip() != "", lines))


def _named(file: str, folder: Path) -> str:
    """Return a file as the project calls it: a build folder's commands begin with ``../``."""
    if not file:
        return ""
    path = Path(file)
    if path.is_absolute():
        return str(path.relative_to(folder)) if path.is_relative_to(folder) else file
    parts = [part for part in path.parts if part not in ("..", ".")]
    inside = Path(*parts) if parts else path
    return str(inside) if (folder / inside).exists() else file
