"""Find in a failed hook's output what went wrong first: of the compiler, the linker, CMake, Meson, Cython or Python.

An exception counts that left the hook, not one that was caught and printed. One that only says that a program failed
is a consequence: then the program's own words are looked for, from the command on that failed. Without an exception the
last words count where they are an error. What matches nothing here stays as it is: no cause is better than a wrong one.
"""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild import reading
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
_REQUIRED = re.compile(r"(?P<file>\S+?):(?P<line>\d+):\d+: +required from here")
_PROBES = ("conftest", "CMakeScratch", "CMakeTmp", "TryCompile", "meson-private")
"""Parts of the paths of what is compiled to see whether that works."""
_OTHERS = re.compile(
    r"(?P<text>configure: error: .+|make(?:\[\d+\])?: \*\*\* (?!.*Error \d+$).+|No package '[^']+' found"
    r"|Rust not found.*|fatal error: .+|error: can't find Rust compiler.*)"
)
_LINKED = re.compile(
    r"(?P<text>.*recompile with -fPIC.*"
    r"|(?:\S*/)?ld(?:\.\w+)?: (?:error: )?(?:cannot find|library not found|undefined|.*: undefined reference).*"
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
_DURING = "During handling of the above exception, another exception occurred:"
_HOOK = "_in_process.py"
"""The first frame of every exception that leaves a hook (pyproject_hooks)."""
_RAISED = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?:: (?P<text>.*))?$")
_CONSEQUENCE = re.compile(
    r"(?:[\w.]*(?:CalledProcessError|CompileError|LinkError|DistutilsExecError|ExecError|FailedLiveProcessError|BackendInvalid)\b"
    r"|RuntimeError: Error compiling objects"
    r"|.*(?:non-zero exit status|failed with exit (?:code|status)))"
)
_COMMAND = re.compile(rf"{_PROGRAM} .* (?:-c|-o|-shared) ")
_SIGNS = ("rror", "ERROR", "undefined", "Undefined", "ld: ", "nvcc", "***", "No package", "Rust", "-fPIC")
"""One of them is in every line that a pattern here matches; to look for them is faster."""
_FAILED = "FAILED: "
_LOOKED_BACK = 40
_SHOWN = 6
"""Lines of an excerpt."""


def found(output: Sequence[str], folder: Path) -> Cause | None:
    """Return what went wrong first, with the file as the project in `folder` calls it; None where nothing says so."""
    lines = [without_escapes(line) for line in output]
    raised = _raised(lines, folder)
    if raised is not None and not _CONSEQUENCE.match(raised.text):
        return raised
    last = _said(lines) if raised is None else None
    return last or _of_programs(lines, folder) or raised


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
    """Return the last line where that is an error, as setuptools and `sys.exit` end with one."""
    last = next((line for line in reversed(lines) if line.strip()), "")
    is_error = last.startswith(("error: ", "ERROR: ", "fatal: ", "configure: error: "))
    return Cause(text=last, excerpt=(last,)) if is_error and not _CONSEQUENCE.match(last) else None


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
        for reader in (_compiled, _rust, _fortran, _linked, _tool, _cmake, _meson, _other):
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
    if any(part in file for part in _PROBES):
        return None
    excerpt = (lines[index], *_indented(lines[index + 1 :]))
    if not _is_own(file, folder):
        for before in range(index - 1, max(index - _LOOKED_BACK, -1), -1):  # a template, used by the project
            used = _REQUIRED.match(lines[before])
            if used is not None and _is_own(used["file"], folder):
                file, line, excerpt = used["file"], used["line"], (lines[before], *excerpt)
                break
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


def _other(lines: Sequence[str], index: int, folder: Path) -> Cause | None:
    del folder
    match = _OTHERS.match(lines[index])
    return Cause(text=match["text"], excerpt=(lines[index],)) if match else None


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
    told = [line.strip() for line in block if line.startswith("  ")]
    if told and told[0].startswith("By not providing"):  # what it was looking for stands further below
        told = [line for line in told if line.startswith("Could not find")] or told
    text = match["text"] or _joined(told) or lines[index]
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
    message: tuple[str, ...]
    """The lines from the exception's name on, without blank ones."""


def _raised(lines: Sequence[str], folder: Path) -> Cause | None:
    """Return the exception that left the hook; of those that it was raised from, the first."""
    begins = [index for index, line in enumerate(lines) if line == _TRACEBACK]
    if not begins:
        return None
    tracebacks = [
        _traceback(lines[begin + 1 : end]) for begin, end in zip(begins, [*begins[1:], len(lines)], strict=True)
    ]
    last = tracebacks[-1]
    if last is None or not any(file.endswith(_HOOK) for file, _, _ in last.frames):
        return None
    chosen = last
    others: list[str] = []
    for number in range(len(begins) - 1, 0, -1):
        between, before = lines[begins[number - 1] : begins[number]], tracebacks[number - 1]
        if before is None or not (_BECAUSE in between or _DURING in between):
            break
        if _BECAUSE in between:
            chosen, others = before, [*others, f"led to: {chosen.message[0]}"]
        else:
            others.append(f"after: {before.message[0]}")
    return _placed(chosen, tuple(others), folder)


def _placed(item: _Raise, others: tuple[str, ...], folder: Path) -> Cause:
    own = [frame for frame in item.frames if _is_own(frame[0], folder)]
    excerpt = (*item.message[:_SHOWN], *others[:2])
    if not own:
        return Cause(text=_joined(item.message), excerpt=excerpt)
    file, number, source = own[-1]
    file = "setup.py" if file == "<string>" else file
    source = source or _source(folder / file, number)
    place = f"{_named(file, folder)}:{number}"
    shown = (f"{place}: {source}" if source else place, *excerpt)
    return Cause(text=_joined(item.message), file=_named(file, folder), line=number, excerpt=shown)


def _joined(message: Sequence[str]) -> str:
    """Return the first line of a message, with the next one where it only announces that."""
    if len(message) > 1 and message[0].endswith((":", ",")):
        return f"{message[0]} {message[1].strip()}"
    return message[0] if message else ""


def _traceback(lines: Sequence[str]) -> _Raise | None:
    frames: list[tuple[str, int, str]] = []
    for index, line in enumerate(lines):
        match = _FRAME.match(line)
        if match is not None:
            after = lines[index + 1] if index + 1 < len(lines) else ""
            source = after.strip() if after.startswith("    ") else ""
            frames.append((match["file"], int(match["line"]), source))
        elif line and not line[0].isspace():
            if not _RAISED.match(line) and not line.startswith("error: "):
                return None
            told = takewhile(lambda text: text not in (_BECAUSE, _DURING), lines[index:])
            return _Raise(frames=tuple(frames), message=tuple(text for text in told if text.strip()))
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
        lines = reading.text(file, errors="replace").splitlines()
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
