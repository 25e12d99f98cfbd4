"""Whatever somebody else wrote is read, or refused with an error that has a code; nothing else is raised or written.

`TEST_SOAK=1` runs fifty times as many examples, and others each time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import struct
import sys
import tarfile
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from passbuild import artifact, process
from passbuild.artifact import Identity
from passbuild.cli.paint import fitting
from passbuild.diagnosis import cause
from passbuild.environment import scripts, stand_ins, view
from passbuild.environment.venv import Venv
from passbuild.errors import BadArtifact, HostUnusable, PassbuildError, SourceNotFound, UnsafeArchive
from passbuild.host import _probe, probe, recall
from passbuild.host.model import Choice
from passbuild.plan.decide import decided
from passbuild.project import archive, pep508, read, requirements, source
from passbuild.redaction import presentable, redacted
from passbuild.settings import merge
from passbuild.settings.keys import KEYS
from passbuild.settings.merge import Given
from tests.integration.bench import fingerprint
from tests.unit import fakes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hypothesis.strategies import DrawFn, SearchStrategy

_SOAK = os.environ.get("TEST_SOAK") == "1"


def examples(count: int) -> settings:
    """Return how many examples are drawn, and how."""
    return settings(
        deadline=None,
        max_examples=count * 50 if _SOAK else count,
        derandomize=not _SOAK,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


# --- what is drawn ----------------------------------------------------------------------------------------------------

_BITS = (
    *("", " ", "\n", "\r", "\t", "\0", "\x1b]0;x\x07", "\x0b", "\u2028", "\udcff", "\u00b2", "é", "'", '"', "'''", "#"),
    *("[", "]", "[[", "{", "}", "(", ")", "=", "==", "===", "~=", ">=", "<", "!=", ";", ":", ",", "@", "%", "%0A", "$"),
    *(
        "${HOME}",
        "-",
        "--",
        "-r",
        "--hash=sha256:",
        "--index-url=http://x",
        "-e",
        ".",
        "..",
        "/",
        "//",
        "\\",
        "~",
        "~x",
    ),
    *("torch", "tool", "a", "A-b", "1.0", "1!2.0+c", "9" * 20, "x" * 300, "extra", "os_name", "python_version", "in"),
    *("and", "or", "not in", "file:///", "https://", "http://u:p@h", "git+https://h/r@main", "http://[::1", "a.whl"),
    *("a-1.0.tar.gz", "#egg=", "#sha256=", "#subdirectory=", "?t=", "true", "[x]", "[a,b]", ".tar.gz", ".zip", "::"),
)
_TEXTS: SearchStrategy[str] = st.one_of(
    st.lists(st.sampled_from(_BITS), max_size=8).map("".join), st.text(max_size=30), st.sampled_from(_BITS)
)
_PRINTABLE = _TEXTS.map(lambda text: text.encode("utf-8", "replace").decode())
_NAMES = (*(key.name for key in KEYS), "requires", "build-backend", "backend-path", "name", "version", "package", "x-y")
_SCALARS = st.one_of(
    _PRINTABLE, st.booleans(), st.integers(), st.floats(), st.dates(), st.sampled_from([10**400, -1, 10**13])
)
_VALUES: SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.sampled_from(_NAMES), _PRINTABLE), inner, max_size=4)
    ),
    max_leaves=8,
)
_TABLES = st.dictionaries(st.one_of(st.sampled_from(_NAMES), _PRINTABLE), _VALUES, max_size=6)
_PACKAGES = st.dictionaries(st.one_of(st.just("thing"), _PRINTABLE), st.one_of(_TABLES, _VALUES), max_size=2)
_UV = st.fixed_dictionaries(
    {},
    optional={
        "no-build-isolation-package": _VALUES,
        "extra-build-dependencies": st.one_of(
            _VALUES, st.just({"thing": [{"requirement": "torch", "match-runtime": True}, 3]})
        ),
        "extra-build-variables": st.one_of(_VALUES, st.just({"thing": {"A": 3, "B=": "x"}})),
    },
)
_PYPROJECTS = st.fixed_dictionaries(
    {},
    optional={
        "build-system": st.one_of(
            _VALUES,
            st.fixed_dictionaries(
                {"requires": st.one_of(st.lists(_PRINTABLE, max_size=3), _VALUES)},
                optional={"build-backend": _VALUES, "backend-path": st.one_of(st.lists(_PRINTABLE), _VALUES)},
            ),
        ),
        "project": st.one_of(_VALUES, st.fixed_dictionaries({"name": st.one_of(st.just("thing"), _PRINTABLE)})),
        "tool": st.fixed_dictionaries(
            {}, optional={"passbuild": st.one_of(_TABLES, _VALUES), "uv": st.one_of(_UV, _VALUES), "pasbuild": _TABLES}
        ),
        "build_system": _VALUES,
    },
)


@st.composite
def documents(draw: DrawFn, values: SearchStrategy[Any]) -> bytes:
    """Draw a TOML file: one of values, one that is damaged, one of words, or anything."""
    kind = draw(st.sampled_from(["values", "values", "damaged", "words", "bytes", "deep"]))
    if kind == "bytes":
        return draw(st.binary(max_size=200))
    if kind == "words":
        return draw(st.lists(_TEXTS, max_size=12)).__str__().encode("utf-8", "surrogateescape")
    if kind == "deep":
        return draw(
            st.sampled_from([b"a = " + b"[" * 3000, b"a = " + b"9" * 5000, b"a = 0x" + b"f" * 5000, b"a=1\n" * 9])
        )
    made = tomli_w.dumps(draw(values)).encode("utf-8", "replace")
    return damaged(draw, made) if kind == "damaged" else made


def damaged(draw: DrawFn, content: bytes) -> bytes:
    """Draw a few changes of a content: bytes that are others, a part that is gone, twice there, or the end."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        if not data:
            break
        begin = draw(st.integers(0, len(data) - 1))
        end = min(len(data), begin + draw(st.integers(1, 16)))
        match draw(st.sampled_from(["other", "flipped", "gone", "twice", "cut"])):
            case "other":
                data[begin:end] = draw(st.binary(max_size=16))
            case "flipped":
                data[begin] ^= 1 << draw(st.integers(0, 7))
            case "gone":
                del data[begin:end]
            case "twice":
                data[begin:begin] = data[begin:end]
            case _:
                del data[begin:]
    return bytes(data)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let zipfile say nothing of names that are there twice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def place() -> Iterator[Path]:
    """Yield an empty folder, and hold that nothing was written beside it."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        around = Path(name)
        (around / "outside.txt").write_text("outside", encoding="utf-8")
        before = fingerprint(around)
        inner = around / "a" / "b" / "c"
        inner.mkdir(parents=True)
        yield inner
        after = fingerprint(around)
        assert {path for path in after if not f"{path}/".startswith("a/")} == before.keys()
        assert {path for path in after if not f"{path}/".startswith("a/b/c/")} == {*before, "a", "a/b"}
        assert after["outside.txt"] == before["outside.txt"]


@contextlib.contextmanager
def told(kind: type[PassbuildError] | tuple[type[PassbuildError], ...] = PassbuildError) -> Iterator[None]:
    """Hold that what is raised is such an error, which has a code and a message."""
    try:
        yield
    except kind as caught:
        error = caught
    else:
        return
    assert error.code != PassbuildError.code
    assert error.message
    assert 1 <= error.exit_code <= 3
    assert "://u:p@" not in str(error)


# --- files of the project and of the user -----------------------------------------------------------------------------


@examples(150)
@given(pyproject=documents(_PYPROJECTS), info=st.one_of(st.none(), st.binary(max_size=100), _PRINTABLE.map(str.encode)))
def test_any_pyproject_is_read_or_refused(pyproject: bytes, info: bytes | None) -> None:
    """With the settings that stand in it, and a plan for it."""
    with place() as folder:
        (folder / "pyproject.toml").write_bytes(pyproject)
        if info is not None:
            (folder / "PKG-INFO").write_bytes(info)
        with told():
            project = read.opened(folder, folder / "extracted")
            found = merge.collected(project, fakes.surroundings(folder), Given(values={}, spelled_as_options=True))
            plan = decided(project, found, fakes.host(fakes.distribution("torch", "2.0", "tool>=1")))
            for item in plan.install:
                assert len(str(item).splitlines()) == 1


@examples(150)
@given(
    config=documents(st.one_of(_TABLES, st.fixed_dictionaries({"package": st.one_of(_PACKAGES, _VALUES)}))),
    uv=st.one_of(st.none(), documents(_UV)),
    work=documents(_PYPROJECTS),
)
def test_any_configuration_is_read_or_refused(config: bytes, uv: bytes | None, work: bytes) -> None:
    """The user's file, uv's, and the project in whose folder one works."""
    with place() as folder:
        (folder / "config.toml").write_bytes(config)
        (folder / "pyproject.toml").write_bytes(work)
        if uv is not None:
            (folder / "uv.toml").write_bytes(uv)
        surroundings = fakes.surroundings(folder)
        with told():
            merge.of_user(surroundings, Given(values={}, spelled_as_options=True), canonicalize_name("thing"))
        with told():
            merge.collected(fakes.project(name="thing"), surroundings, Given(values={}, spelled_as_options=True))


_VARIABLES = (*(key.variable for key in KEYS), "PASSBUILD_X", "PASSBUILD_HOTS")


@examples(200)
@given(
    variables=st.dictionaries(st.sampled_from(_VARIABLES), _TEXTS, max_size=6),
    options=st.dictionaries(
        st.sampled_from([key.field for key in KEYS]),
        st.one_of(_TEXTS, st.lists(_TEXTS, max_size=3).map(tuple)),
        max_size=5,
    ),
)
def test_any_variable_and_option_is_read_or_refused(
    variables: Mapping[str, str], options: Mapping[str, object]
) -> None:
    """Whatever stands in it."""
    with place() as folder, told():
        surroundings = fakes.surroundings(folder, **{name: text.replace("\0", "") for name, text in variables.items()})
        merge.of_user(surroundings, Given(values=options, spelled_as_options=True))


@examples(150)
@given(lines=st.lists(_TEXTS, max_size=8), more=st.lists(_TEXTS, max_size=3))
def test_any_requirements_file_is_read_or_refused(lines: list[str], more: list[str]) -> None:
    """So is each source that it lists; what an installer will read of it is one line."""
    with place() as folder:
        file = folder / "all.txt"
        file.write_text("\n".join((*lines, "-r more.txt")), encoding="utf-8", errors="surrogateescape")
        (folder / "more.txt").write_text("\n".join(more), encoding="utf-8", errors="surrogateescape")
        with told():
            listed = requirements.listed([file], {"HOME": "/home/x", "A": "a\nb"})
            for text in listed.sources:
                with told():
                    found = source.understood(text, folder)
                    assert found.path is not None or is_one_line(found.line)


@examples(300)
@given(text=_TEXTS)
def test_any_source_is_understood_or_refused(text: str) -> None:
    """A path, a requirement, a URL: a source, whose line for an installer is one, or an error with a code."""
    with place() as folder:
        (folder / "torch").mkdir()
        (folder / "a-1.0.tar.gz").write_bytes(b"")
        with told():
            found = source.understood(text, folder)
            assert found.path is not None or is_one_line(found.line)


def is_one_line(line: str) -> bool:
    """Whether a line is one, and no option."""
    return len(line.splitlines()) == 1 and not line.startswith("-")


@examples(600)
@given(text=_TEXTS)
def test_any_requirement_is_one_line_or_none(text: str) -> None:
    """What is taken for a requirement comes to an installer as the same one requirement."""
    try:
        found = pep508.decoded(text)
    except InvalidRequirement:
        return
    assert is_one_line(str(found))
    assert "${" not in str(found)
    assert Requirement(str(found)) == found


# --- archives ---------------------------------------------------------------------------------------------------------

_MEMBER_NAMES = st.lists(
    st.sampled_from(["thing-1.0", "a", "b", "..", ".", "", "link", "x" * 300, "\n", "\udcff", "C:", "\\", "A"]),
    max_size=5,
).map("/".join)
_KINDS = (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, b"Z")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of an archive."""

    name: str
    kind: bytes
    target: str
    size: int
    headers: Mapping[str, str]


_PAX = ("path", "linkpath", "size", "mtime", "uid", "comment", "GNU.sparse.map", "GNU.sparse.major", "hdrcharset")
_MEMBERS = st.builds(
    Member,
    name=st.one_of(_MEMBER_NAMES.map(lambda name: f"thing-1.0/{name}"), _MEMBER_NAMES),
    kind=st.sampled_from(_KINDS + _KINDS[:2] * 3),
    target=_MEMBER_NAMES,
    size=st.sampled_from([0, 1, 700]),
    headers=st.dictionaries(
        st.sampled_from(_PAX),
        st.one_of(st.sampled_from(["nan", "-1", "1e300", "0", "1", "/etc/x", "../x"]), _PRINTABLE),
    ),
)


@st.composite
def archives(draw: DrawFn) -> tuple[str, bytes]:
    """Draw the name and the content of an archive, sound or not."""
    members = draw(st.lists(_MEMBERS, max_size=6))
    suffix = draw(st.sampled_from([".tar.gz", ".zip"]))
    content = io.BytesIO()
    if suffix == ".zip":
        with (
            quiet(),
            zipfile.ZipFile(content, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))) as bundle,
        ):
            for item in members:
                info = zipfile.ZipInfo("x")
                info.filename = item.name.encode("utf-8", "replace").decode()
                info.external_attr = draw(st.sampled_from([0, 0o644 << 16, 0o755 << 16, 0o120777 << 16, 0x10]))
                bundle.writestr(info, b"x" * item.size)
    else:
        form = draw(st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT]))
        with tarfile.open(fileobj=content, mode="w", format=form, errors="surrogateescape") as tar:
            for item in members:
                header = tarfile.TarInfo(item.name)
                header.type, header.linkname, header.mode = (
                    item.kind,
                    item.target,
                    draw(st.sampled_from([0o644, 0o4755, 0])),
                )
                header.size = item.size if item.kind == tarfile.REGTYPE else 0
                header.pax_headers = dict(item.headers)
                with contextlib.suppress(ValueError):  # a name that this format cannot hold
                    tar.addfile(header, io.BytesIO(b"x" * header.size))
    whole = content.getvalue()
    if suffix == ".tar.gz":
        import gzip

        if draw(st.booleans()):
            whole = damaged(draw, whole)
        whole = gzip.compress(whole, 1)
    return f"thing{suffix}", damaged(draw, whole) if draw(st.integers(0, 3)) == 0 else whole


@examples(200)
@given(drawn=archives())
def test_any_archive_is_extracted_inside_or_refused(drawn: tuple[str, bytes]) -> None:
    """What comes out lies in the folder, leads nowhere else, and is no device."""
    with place() as folder:
        file = folder / drawn[0]
        file.write_bytes(drawn[1])
        with told((SourceNotFound, UnsafeArchive)):
            archive.extracted(file, folder / "made")
        for path in (folder / "made").rglob("*"):
            assert path.is_symlink() or path.is_dir() or path.is_file()
            assert path.resolve().is_relative_to(folder / "made")


# --- what the backend wrote -------------------------------------------------------------------------------------------

_EXPECTED = Identity(name=canonicalize_name("thing"), version=Version("1.0"))
_INFO = "thing-1.0.dist-info"
_FILE_NAMES = st.one_of(
    st.just("thing-1.0-py3-none-any.whl"),
    st.lists(st.sampled_from(["thing", "1.0", "py3", "none", "any", "-", ".", "\n", "\x1b", "x" * 40]), max_size=9).map(
        lambda parts: "".join(parts).replace("/", "") + ".whl"
    ),
)


@st.composite
def wheels(draw: DrawFn) -> tuple[str, bytes]:
    """Draw the name and the content of a wheel, sound or not."""
    head = "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n"
    files: list[tuple[str, str]] = [
        (f"{_INFO}/METADATA", draw(st.one_of(st.just(head), _PRINTABLE.map(lambda text: f"{head}{text}"), _PRINTABLE))),
        (
            f"{_INFO}/WHEEL",
            draw(st.one_of(st.just("Tag: py3-none-any\n"), _PRINTABLE.map(lambda text: f"Tag: {text}"))),
        ),
        (f"{_INFO}/RECORD", "\n".join(draw(st.lists(_PRINTABLE, max_size=5)))),
        *draw(st.lists(st.tuples(_PRINTABLE, _PRINTABLE), max_size=3)),
    ]
    content = io.BytesIO()
    with (
        quiet(),
        zipfile.ZipFile(content, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))) as bundle,
    ):
        for name, text in draw(st.permutations(files)):
            info = zipfile.ZipInfo("x")
            info.filename = name.replace("\0", "")
            bundle.writestr(info, text)
    whole = content.getvalue()
    if draw(st.booleans()):
        data = bytearray(whole)
        at = data.find(b"PK\x01\x02") + draw(st.sampled_from([8, 10, 20, 24, 28, 30, 42]))
        data[at : at + 4] = struct.pack("<L", draw(st.integers(0, 2**32 - 1)))
        whole = bytes(data)
    return draw(_FILE_NAMES), damaged(draw, whole) if draw(st.booleans()) else whole


@examples(200)
@given(drawn=wheels(), kind=st.sampled_from(["wheel", "sdist"]))
def test_any_wheel_is_sound_or_refused(drawn: tuple[str, bytes], kind: str) -> None:
    """Whatever the libraries raise behind it, it is `bad-artifact`; so it is where it is taken for an sdist."""
    name, content = drawn
    with place() as folder:
        file = folder / (name if kind == "wheel" else "thing-1.0.zip")
        file.write_bytes(content)
        check = artifact.checked_wheel if kind == "wheel" else artifact.checked_sdist
        with told(BadArtifact):
            assert check(file, _EXPECTED) == _EXPECTED
            assert file.name.isprintable()


@examples(80)
@given(drawn=archives(), info=_PRINTABLE)
def test_any_sdist_is_sound_or_refused(drawn: tuple[str, bytes], info: str) -> None:
    """Likewise."""
    with place() as folder:
        file = folder / f"thing-1.0{drawn[0].removeprefix('thing')}"
        file.write_bytes(drawn[1] or info.encode())
        with told(BadArtifact):
            artifact.checked_sdist(file, _EXPECTED)


# --- hosts ------------------------------------------------------------------------------------------------------------

_CHOICE = Choice(executable=Path("/host/bin/python"), reason="a test")
_ROWS = st.one_of(
    st.sampled_from(
        [
            *(
                "engine/__init__.py,sha256=x,3",
                "engine/part.py,,",
                "engine.pth,,",
                "../../../bin/say,,",
                "/etc/passwd,,",
            ),
            *(
                ".,,",
                "..,,",
                "../..,,",
                '"',
                "engine\0,,",
                "x" * 300 + ",,",
                "engine-1.0.dist-info/RECORD,,",
                "a/b.pc,,",
            ),
            *("\u00b2,,\u00b2", "engine,,9" + "9" * 5000, "../../../../../../../../tmp,,", "engine.libs/x.so,,1"),
        ]
    ),
    _TEXTS,
)
_BY_HAND = {
    "METADATA": st.one_of(
        _TEXTS.map(lambda text: f"Metadata-Version: 2.1\nName: engine\nVersion: 1.0\nRequires-Dist: {text}\n"), _TEXTS
    ),
    "RECORD": st.lists(_ROWS, max_size=8).map("\n".join),
    "entry_points.txt": st.one_of(
        st.lists(st.tuples(_TEXTS, _TEXTS), max_size=4).map(
            lambda rows: "[console_scripts]\n" + "\n".join(f"{name} = {text}" for name, text in rows)
        ),
        st.just("[console_scripts]\nsay = engine:main\n../x = engine:main\n.. = a:b\nx = engine:main [fast]\n"),
        _TEXTS,
    ),
    "direct_url.json": st.one_of(
        _VALUES.map(lambda value: json.dumps({"url": value, "dir_info": value}, default=str)),
        st.sampled_from(["[" * 1500, '{"url": "https://u:p@h/x", "vcs_info": []}', '{"url": 3}', "null", ""]),
        _TEXTS,
    ),
    "top_level.txt": _TEXTS,
    "requires.txt": _TEXTS,
    "INSTALLER": st.one_of(st.just("conda"), _TEXTS),
    "WHEEL": _TEXTS,
}
_INFOS = st.fixed_dictionaries({}, optional=_BY_HAND)


@st.composite
def sites(draw: DrawFn) -> dict[str, bytes]:
    """Draw the files of a site-packages folder."""
    files = {"engine/__init__.py": b"", "engine/part.py": b"", "engine.libs/x.so": b""}
    shapes = st.sampled_from(["{}-1.0.dist-info", "{}-1.0-py3.11.egg-info", "{}.egg-info", "{}-.dist-info"])
    for name in ("engine", "fuel"):
        info = draw(shapes).format(name)
        for file, text in draw(_INFOS).items():
            content = text.encode("utf-8", "surrogateescape")
            files[f"{info}/{file}"] = content + (b"\xff" if draw(st.integers(0, 5)) == 0 else b"")
    files["engine.pth"] = draw(_TEXTS).encode("utf-8", "surrogateescape")
    return files


@examples(80)
@given(files=sites())
def test_any_host_is_read_and_passed_through(files: dict[str, bytes]) -> None:
    """Its answer is one that is believed; stand-ins, view and scripts of it are written, and the host never is."""
    with place() as folder:
        site = folder / "host" / "lib" / "site-packages"
        for name, content in files.items():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_bytes(content)
        before = fingerprint(folder / "host")
        found = _probe.listed([str(site)])
        described = _probe.reached(found, ["engine", "fuel"])
        installed = {name: version for name, (version, _, _) in found.items()}
        text = answer(folder, installed, described, _probe.providers(found, ["engine", "part"]))

        host = asked(text)
        project = fakes.project("engine", "fuel>=1")
        plan = decided(project, fakes.settings(passthrough=["engine", "fuel"], on_mismatch="host"), host)

        venv = Venv(
            folder=folder / "env",
            python=folder / "env" / "bin" / "python",
            site_packages=folder / "env" / "lib" / "site-packages",
            scripts=folder / "env" / "bin",
        )
        venv.site_packages.mkdir(parents=True)
        venv.scripts.mkdir()
        stand_ins.remove(stand_ins.write(plan.passed, venv.site_packages))
        distributions = [item.distribution for item in plan.passed]
        view.write(distributions, venv, true_paths=True)
        scripts.write(distributions, host, venv)

        assert fingerprint(folder / "host") == before
        compile((venv.site_packages / "_passbuild_redirects.py").read_text(encoding="utf-8"), "redirects", "exec")
        for file in venv.site_packages.glob("*.pth"):
            assert file.read_text(encoding="ascii") == "import _passbuild_redirect; _passbuild_redirect.install()\n"


def answer(folder: Path, installed: object, described: object, providers: object) -> str:
    """Return the answer of a host below `folder`."""
    prefix = str(folder / "host")
    return json.dumps(
        {
            "schema": 3,
            "version": "3.11.7",
            "implementation": "cpython",
            "soabi": "cpython-311-x86_64-linux-gnu",
            "prefix": prefix,
            "base_prefix": "/usr",
            "scripts": f"{prefix}/bin",
            "path": ["/usr/lib/python3.11"],
            "executable": f"{prefix}/bin/python",
            "user_site": "/home/x",
            "customized": False,
            "markers": fakes.MARKERS,
            "installed": installed,
            "providers": providers,
            "distributions": described,
        }
    )


def asked(text: str) -> Any:
    """Return the host that gives an answer."""
    finished = process.Finished(returncode=0, stdout=f"\npassbuild-probe:{text}\n")
    with mock.patch.object(process, "answer", return_value=finished):
        return probe.probed(_CHOICE, [canonicalize_name("engine")], {})


_DESCRIBED = {
    "name": "engine",
    "version": "1.0",
    "location": "/host/lib",
    "info": "/host/lib/engine-1.0.dist-info",
    "requires": ["fuel"],
    "entries": ["engine"],
    "outside": ["/host/bin/say"],
    "path_files": [],
    "pkg_config": [],
    "direct_url": {"url": "https://h/x"},
    "editable": False,
    "size": 3,
    "recorded": True,
}
_JSON: SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def places(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Yield the path of each part of a document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


@st.composite
def answers(draw: DrawFn) -> str:
    """Draw the answer of an interpreter: a part of a sound one is something else, or not there; or it is damaged."""
    sound = answer(Path("/"), {"engine": "1.0"}, [_DESCRIBED], {})
    if draw(st.integers(0, 4)) == 0:
        return damaged(draw, sound.encode()).decode("utf-8", "replace")
    document = json.loads(sound)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(sorted(places(document), key=repr)))
        if not path:
            document = draw(_JSON)
            continue
        parent = document
        for key in path[:-1]:
            parent = parent[key]
        if draw(st.booleans()):
            parent[path[-1]] = draw(_JSON)
        else:
            del parent[path[-1]]
    return json.dumps(document)


@examples(500)
@given(text=answers())
def test_any_answer_of_an_interpreter_is_believed_or_refused(text: str) -> None:
    """What is believed can be planned with; all else is `host-unusable`."""
    with told(HostUnusable):
        host = asked(text)
        decided(fakes.project("engine", "fuel"), fakes.settings(passthrough=["engine"]), host)
        for item in host.distributions.values():
            assert item.location.is_absolute()
            assert not any(entry.is_absolute() or ".." in entry.parts for entry in item.entries)
            assert all(path.is_absolute() and ".." not in path.parts for path in item.outside)


@examples(100)
@given(text=answers())
def test_any_answer_that_was_kept_is_believed_or_asked_for_again(text: str) -> None:
    """What lies in the store may have been changed: what cannot be is no answer."""
    sound = answer(Path("/"), {}, [], {})
    with place() as folder:
        try:
            kept: object = json.loads(text)
        except ValueError:
            kept = text
        finished = process.Finished(returncode=0, stdout=f"passbuild-probe:{sound}\n")
        with (
            mock.patch.object(recall, "recalled", return_value=kept),
            mock.patch.object(process, "answer", return_value=finished),
            told(HostUnusable),
        ):
            host = probe.probed(_CHOICE, [], {}, recall.Memory(folder=folder, max_age=3600))
            assert host.minor


# --- what is said -----------------------------------------------------------------------------------------------------


@examples(100)
@given(lines=st.lists(st.one_of(_TEXTS, st.sampled_from(["x.c:3:4: error: y", '  File "a", line 3', "error: x"]))))
def test_any_output_is_looked_at(lines: list[str]) -> None:
    """A cause, or none."""
    with place() as folder:
        begun = ["Traceback (most recent call last):", '  File "x/_in_process.py", line 3, in f', *lines]
        for output in (lines, begun):
            found = cause.found(output, folder)
            assert found is None or "\x1b" not in found.text


_SEPARATE = st.text(
    st.characters(codec="ascii", categories=["L", "N"], include_characters="-._~!$&*+,;=:%?#"), min_size=1
)


@examples(300)
@given(
    user=_SEPARATE, word=_SEPARATE, before=_TEXTS, after=st.sampled_from(["", "/simple", "/a?token=s3cr3t&b", ":80/x"])
)
def test_any_credentials_of_a_url_are_taken_out(user: str, word: str, before: str, after: str) -> None:
    """Wherever the URL stands, in texts and in documents."""
    text = f"{before.replace('/', '')} https://{user}:{word}QQs3cr3tQQ@host{after} behind"

    assert "s3cr3t" not in redacted(text)
    assert "s3cr3t" not in json.dumps(presentable({text: [text, {"x": text}]}))
    assert redacted(text).endswith(" behind")


_SLASHED = st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters="-._~!$&*+,;=:%/@")).filter(
    lambda text: ":/" not in text  # that would be another URL
)


@examples(300)
@given(
    user=st.text("abcz0", min_size=1), word=_SLASHED, more=_SLASHED, scheme=st.sampled_from(["https", "s3", "a=http"])
)
def test_any_password_of_a_url_is_taken_out(user: str, word: str, more: str, scheme: str) -> None:
    """Whatever is in it, slashes and what separates users from hosts."""
    text = f"{scheme}://{user}:{word}/QQs3cr3tQQ{more}@host.example/simple/ behind"

    assert "s3cr3t" not in redacted(text)
    assert redacted(text).endswith(" behind")


@examples(400)
@given(text=st.one_of(_TEXTS, st.text()), encoding=st.sampled_from(["utf-8", "ascii", "latin-1", None]))
def test_any_text_is_shown_without_commands(text: str, encoding: str | None) -> None:
    """No control character is left, and the stream can write what is."""
    shown = fitting(text, encoding)

    assert shown.encode(encoding or "ascii").decode(encoding or "ascii") == shown
    assert "##vso[" not in fitting(f"##vso[##\x07VSO[{text}", encoding).lower()
    assert not any(ord(sign) < 0x20 and sign not in "\n\t" for sign in shown)
    assert not any(0x7F <= ord(sign) < 0xA0 or 0x202A <= ord(sign) < 0x202F for sign in shown)


def test_this_python_has_what_archives_need() -> None:
    """The data filter of tarfile, without which nothing is extracted."""
    assert hasattr(tarfile, "data_filter"), sys.version
