"""Credentials are planted wherever they can stand; nothing that passbuild prints or keeps has them in any form."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import json
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

import pytest

from tests.integration.bench import Bench, Outcome, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_USER, _WORD, _TOKEN = "k4n4ry-user", "k4n4ry+w/rd=", "k4n4ry-t0ken"
_QUOTED = quote(_WORD, safe="")
_BASIC = base64.b64encode(f"{_USER}:{_WORD}".encode()).decode()
_FORMS = {
    "clear": _WORD,
    "in a URL": _QUOTED,
    "in a URL, small letters": _QUOTED.lower(),
    "in a header": _BASIC,
    "alone, in base64": base64.b64encode(_WORD.encode()).decode().rstrip("="),
    "the token": _TOKEN,
}
"""What must not be found. A user's name is not secret."""


@contextlib.contextmanager
def guarded(folder: Path) -> Iterator[str]:
    """Serve the files of a folder on loopback to whoever has user and password: below /files, and as an index."""

    class Guard(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            if path.startswith("/open/"):  # an index for all, with nothing on it
                self.send_error(404)
                return
            if self.headers.get("Authorization") != f"Basic {_BASIC}":
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="x"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            name = path.rstrip("/").rpartition("/")[2]
            file = folder / name
            if path.startswith("/files/") and file.is_file():
                self._answer(file.read_bytes(), "application/octet-stream")
            elif path.startswith(("/simple/", "/links")):
                files = [item.name for item in sorted(folder.iterdir()) if item.is_file()]
                found = [item for item in files if path.startswith("/links") or item.partition("-")[0] == name]
                if not found:
                    self.send_error(404)
                    return
                links = "".join(f'<a href="/files/{quote(item)}">{item}</a>\n' for item in found)
                self._answer(f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html")
            else:
                self.send_error(404)

        do_HEAD = do_GET  # noqa: N815 - as the server calls it

        def _answer(self, content: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guard) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class Audit:
    """Runs commands, and looks at all that they print and leave."""

    def __init__(self, bench: Bench, server: str, *, installer: str = "uv") -> None:
        self.bench = bench
        self.server = server
        self.store = bench.folder / "store"
        empty = bench.folder / "empty.toml"
        empty.touch()
        self.environ = {
            "PASSBUILD_CACHE_DIR": str(self.store),
            "PASSBUILD_INSTALLER": installer,
            "UV_OFFLINE": "0",
            "UV_CONFIG_FILE": str(empty),
            "UV_HTTP_RETRIES": "0",
            "UV_CACHE_DIR": str(bench.folder / "caches" / "uv"),
            "PIP_CACHE_DIR": str(bench.folder / "caches" / "pip"),
            "PIP_NO_INDEX": "0",
            "PIP_FIND_LINKS": "",
            "PIP_RETRIES": "0",
            "PRIVATE_TOKEN": _TOKEN,
        }

    @property
    def url(self) -> str:
        """The server's address, with user and password."""
        return f"http://{_USER}:{_QUOTED}@{self.server}"

    @property
    def empty(self) -> dict[str, str]:
        """The variables that name an index with nothing on it."""
        return dict.fromkeys(("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), f"http://{self.server}/open/simple/")

    def run(
        self,
        command: str,
        source: Path | str,
        *options: object,
        code: int | None = 0,
        json: bool = True,
        environ: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Run a command and hold that it ends with this code and tells no secret."""
        outcome = self.bench.passbuild(
            command, source, *options, json=json, environ={**self.environ, **(environ or {})}
        )
        assert code is None or outcome.code == code, outcome.stderr
        assert leaks(outcome.stdout) == []
        assert leaks(outcome.stderr) == []
        return outcome

    def everywhere(
        self,
        project: Path | str,
        *options: object,
        environ: Mapping[str, str] | None = None,
        is_short: bool = False,
    ) -> None:
        """Run all commands for a project, or the telling ones; they have to tell no secret, and to keep none."""
        named = ("--report", self.bench.folder / "report.json", *options)
        commands: list[tuple[str, tuple[str, ...], bool]] = [
            ("plan", (), True),
            ("wheel", ("--sbom", "--pin", "minor", "-v"), False),
            ("plan", (), False),
            ("plan", ("--explain", "tool"), False),
            ("plan", ("--explain", "tool"), True),
            ("wheel", ("--rebuild", "--refresh"), True),
            ("metadata", (), True),
        ]
        for command, more, as_json in commands[: 2 if is_short else None]:
            self.run(command, project, *named, *more, json=as_json, environ=environ)
        if Path(project).is_dir() and not is_short:
            self.run("sdist", project, *named, environ=environ)
        for as_json in (False, True):
            self.run("doctor", project, *options, json=as_json, environ=environ, code=None)
        listed = self.bench.passbuild("cache", "list", environ=self.environ, json=False)
        assert leaks(listed.stdout + listed.stderr) == []
        self.files()

    def files(self) -> None:
        """Hold that nothing that was written has a secret: reports, logs, artifacts, temporary files, the store."""
        for place in (self.bench.scratch, self.bench.outdir, self.store, self.bench.folder / "report.json"):
            assert hidden(place) == []


def leaks(text: str | bytes) -> list[str]:
    """Return the forms in which a text has a secret."""
    content = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    return [form for form, secret in _FORMS.items() if secret.encode() in content]


def hidden(place: Path) -> list[str]:
    """Return the files at a place, and in archives there, that have a secret in their names or contents."""
    found = []
    for path in (place, *place.rglob("*")) if place.exists() else ():
        if path.is_symlink() or not path.is_file():
            continue
        contents = {str(path): path.read_bytes()}
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as bundle:
                contents |= {f"{path}: {name}": bundle.read(name) for name in bundle.namelist()}
        found += [f"{name}: {form}" for name, content in contents.items() for form in (*leaks(content), *leaks(name))]
    return found


@pytest.fixture
def server(bench: Bench) -> Iterator[str]:
    """Serve what the wheelhouse has, and what the test puts beside it."""
    pages = bench.folder / "pages"
    shutil.copytree(bench.workshop.house.index, pages)
    with guarded(pages) as address:
        yield address


_QUIET = """
import importlib, json, os, tarfile
from pathlib import Path
import tiny_wheel

ASKED = json.loads(Path("recorder.json").read_text()) if Path("recorder.json").exists() else {}

def get_requires_for_build_wheel(config_settings=None):
    return ASKED.get("requires_wheel", [])

def build_wheel(folder, config_settings=None, metadata_directory=None):
    assert all(os.environ[name] for name in ASKED.get("variables", []))
    for name in ASKED.get("imports", []):
        importlib.import_module(name)
    if config_settings:
        raise RuntimeError("it was told to fail")
    return tiny_wheel.write(Path(folder), "sample", "1.0", {"sample/__init__.py": ""}).name

def build_sdist(folder, config_settings=None):
    with tarfile.open(Path(folder) / "sample-1.0.tar.gz", "w:gz") as bundle:
        Path("PKG-INFO").write_text(tiny_wheel.metadata("sample", "1.0"))
        for file in ("pyproject.toml", "PKG-INFO"):
            bundle.add(file, f"sample-1.0/{file}")
    return "sample-1.0.tar.gz"
"""
"""A backend that does not write down what it sees, as the recorder does."""


def project_of(bench: Bench, name: str = "project", **orders: object) -> Path:
    """Return a project with a backend that is quiet."""
    made = bench.project(name=name, **orders)  # type: ignore[arg-type]  # those of the sample
    (made / "backend" / "recorder.py").write_text(_QUIET, encoding="utf-8")
    return made


def sdist(bench: Bench, **orders: object) -> Path:
    """Put the sdist of a project where it is served, and return its path."""
    project = project_of(bench, "sample-1.0", **orders)
    (project / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n", encoding="utf-8")
    return Path(shutil.make_archive(str(bench.folder / "pages" / "sample-1.0"), "gztar", bench.folder, project.name))


# --- indexes ----------------------------------------------------------------------------------------------------------


def _pip_conf(audit: Audit) -> dict[str, str]:
    file = audit.bench.folder / "pip.conf"
    file.write_text(f"[global]\nindex-url = {audit.url}/simple/\n", encoding="utf-8")
    return {"PIP_CONFIG_FILE": str(file)}


def _uv_toml(audit: Audit) -> dict[str, str]:
    file = audit.bench.folder / "uv.toml"
    file.write_text(f'[[index]]\nurl = "{audit.url}/simple/"\ndefault = true\n', encoding="utf-8")
    return {"UV_CONFIG_FILE": str(file)}


def _netrc(audit: Audit) -> dict[str, str]:
    file = audit.bench.folder / "netrc"
    file.write_text(f"machine 127.0.0.1\nlogin {_USER}\npassword {_WORD}\n", encoding="utf-8")
    file.chmod(0o600)
    plain = f"http://{audit.server}/simple/"
    return {"NETRC": str(file), "PIP_INDEX_URL": plain, "UV_DEFAULT_INDEX": plain}


def _config_file(audit: Audit) -> dict[str, str]:
    file = audit.bench.folder / "config.toml"
    file.write_text(f'index-url = "{audit.url}/simple/"\n', encoding="utf-8")
    return {"PASSBUILD_CONFIG_FILE": str(file)}


_BY_FILES = {"pip.conf": _pip_conf, "uv.toml": _uv_toml, "netrc": _netrc, "passbuild's file": _config_file}
_BY_VARIABLES = {
    "PIP_INDEX_URL": "/simple/",
    "PIP_EXTRA_INDEX_URL": "/simple/",
    "PIP_FIND_LINKS": "/links/",
    "UV_INDEX_URL": "/simple/",
    "UV_DEFAULT_INDEX": "/simple/",
    "UV_INDEX": "/simple/",
    "UV_EXTRA_INDEX_URL": "/simple/",
    "UV_FIND_LINKS": "/links/",
    "PASSBUILD_INDEX_URL": "/simple/",
    "PASSBUILD_EXTRA_INDEX_URL": "/simple/",
    "PASSBUILD_FIND_LINKS": "/links/",
}
_BY_OPTIONS = {"--index-url": "/simple/", "--extra-index-url": "/simple/", "--find-links": "/links/"}
_INDEXES = [*_BY_FILES, *_BY_VARIABLES, *_BY_OPTIONS]
_OF_ONE = {"PIP": "uv", "pip": "uv", "UV_": "pip", "uv.": "pip"}
"""What an installer knows nothing of."""


def index(audit: Audit, where: str) -> tuple[Sequence[str], Mapping[str, str]]:
    """Return the options and variables by which the server's index is named, and no other."""
    is_only_one = where in {*_BY_FILES, "--index-url", "UV_DEFAULT_INDEX"} or where.endswith("_INDEX_URL")
    alone = {} if is_only_one and "EXTRA" not in where else audit.empty
    if "find-links" in where.lower().replace("_", "-"):
        file = audit.bench.folder / "no-index.toml"
        file.write_text("no-index = true\n", encoding="utf-8")
        alone = {"PIP_NO_INDEX": "1", "UV_CONFIG_FILE": str(file)}
    if where in _BY_FILES:
        return (), _BY_FILES[where](audit)
    if where in _BY_VARIABLES:
        return (), {**alone, where: f"{audit.url}{_BY_VARIABLES[where]}"}
    return (where, f"{audit.url}{_BY_OPTIONS[where]}"), alone


@pytest.mark.parametrize("where", _INDEXES)
def test_credentials_of_an_index_are_for_the_installer_alone(
    bench: Bench, server: str, installer: str, where: str
) -> None:
    """A build that fetches with them, one that finds nothing, and every command beside: nothing shows or keeps them."""
    if _OF_ONE.get(where[:3]) == installer:
        installer = "pip" if installer == "uv" else "uv"
    audit = Audit(bench, server, installer=installer)
    options, environ = index(audit, where)
    host = bench.host("engine==1.0", "fuel==1.0")
    project = project_of(bench, requires=["tool", "engine"], imports=["tool"])
    missing = project_of(bench, "missing", requires=["nowhere-to-be-found"])
    named = ("--host", host, "--passthrough", "engine", *options)

    audit.everywhere(project, *named, environ=environ, is_short=where not in {*_BY_FILES, *_BY_OPTIONS})
    failed = audit.run("wheel", missing, *named, environ=environ, code=3)

    assert failed.error["code"] == "unresolvable"
    audit.files()


def test_a_wrong_password_is_told_without_it(bench: Bench, server: str, installer: str) -> None:
    """The server answers 401: so says the installer, and what passbuild tells of it has no password."""
    audit = Audit(bench, server, installer=installer)
    project = project_of(bench, requires=["tool"])
    url = f"http://{_USER}:{_QUOTED}x@{server}/simple/"

    for options in (("--index-url", url), ("--extra-index-url", url), ("--find-links", url.replace("simple", "links"))):
        failed = audit.run(
            "wheel", project, "--host", bench.host(), *options, "--report", "report.json", code=3, environ=audit.empty
        )
        assert failed.error["code"] == "unresolvable"
    audit.files()


# --- what is built ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["found", "missing", "refused", "other hash"])
def test_credentials_and_tokens_of_a_source_are_not_kept(
    bench: Bench, server: str, installer: str, answer: str
) -> None:
    """A URL with user, password and a token in its query: the tree and the wheel are kept under a key, it is not."""
    audit = Audit(bench, server, installer=installer)
    archive = sdist(bench, requires=["tool"], imports=["tool"])
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    digest = digest if answer != "other hash" else "0" * 64
    name = "sample-1.0.tar.gz" if answer != "missing" else "gone-1.0.tar.gz"
    url = f"{audit.url}/files/{name}?token={_TOKEN}#sha256={digest}"
    url = url.replace(_QUOTED, f"{_QUOTED}x") if answer == "refused" else url
    options = ("--host", bench.host(), "--find-links", bench.workshop.house.index, "--no-index")

    for command in ("plan", "wheel", "metadata"):
        code = 0 if answer == "found" else 3
        audit.run(command, url, *options, "--report", bench.folder / "report.json", code=code)
    audit.run("doctor", url, *options, code=None)
    if answer == "found":
        again = audit.run("wheel", f"sample @ {url}", *options, "-v", json=False)
        listed = audit.bench.passbuild("cache", "list", "--json", environ=audit.environ, json=False)
        assert "sample-1.0" in again.stdout
        assert leaks(listed.stdout) == []
        assert f"http://***@{server}" in listed.stdout
    audit.files()


def test_credentials_of_a_source_are_not_written_into_the_host(bench: Bench, server: str, installer: str) -> None:
    """`passbuild install URL`: direct_url.json says where it came from, without user and password (PEP 610)."""
    audit = Audit(bench, server, installer=installer)
    sdist(bench)
    host = bench.own_host()
    url = f"{audit.url}/files/sample-1.0.tar.gz"

    audit.run("install", url, "--host", host, "--find-links", bench.workshop.house.index, "--no-index")

    (info,) = host.site_packages.glob("sample-1.0.dist-info")
    assert f"{server}/files/sample-1.0.tar.gz" in (info / "direct_url.json").read_text(encoding="utf-8")
    assert hidden(host.site_packages) == []
    audit.files()


@pytest.mark.parametrize("state", ["there", "refused", "nobody"])
def test_credentials_of_a_shared_place_are_not_kept(bench: Bench, server: str, state: str) -> None:
    """Neither where wheels are looked for, nor in what is told when that fails."""
    audit = Audit(bench, server)
    archive = sdist(bench)
    place = {
        "there": f"{audit.url}/shared",
        "refused": f"{audit.url.replace(_QUOTED, _QUOTED + 'x')}/shared",
        "nobody": f"http://{_USER}:{_QUOTED}@127.0.0.1:9/shared",
    }[state]
    options = ("--host", bench.host(), "--shared-wheels", place, "--shared-wheels-mode", "read-write")

    audit.everywhere(archive, *options)


# --- what stands around -----------------------------------------------------------------------------------------------


def test_variables_are_for_the_backend_and_nobody_else(bench: Bench, server: str, installer: str) -> None:
    """`-E NAME=VALUE`, variables of the shell and of CI: their values are in no report, key, log or artifact."""
    audit = Audit(bench, server, installer=installer)
    archive = sdist(bench, variables=["SECRET", "OTHER", "DATABASE", "GITHUB_TOKEN", "PRIVATE_TOKEN"])
    environ = {
        "PASSBUILD_ENVIRONMENT": f"OTHER={_TOKEN}",
        "GITHUB_TOKEN": _TOKEN,
        "AWS_SECRET_ACCESS_KEY": _WORD,
        "TWINE_PASSWORD": _WORD,
        "HTTP_PROXY_AUTH": _BASIC,
    }
    options = ("--host", bench.host(), "-E", f"SECRET={_WORD}", "-E", f"DATABASE={audit.url}/db?t={_TOKEN}")

    audit.everywhere(archive, *options, environ=environ)
    outcome = audit.run("wheel", archive, *options, "-C", "fail=1", environ=environ, code=1)

    assert outcome.error["code"] == "backend-failed"
    assert [item["value"] for item in outcome.document["settings"]["environment"]] == ["DATABASE", "OTHER", "SECRET"]
    audit.files()


@pytest.mark.parametrize("kind", ["archive", "repository"])
def test_credentials_in_what_a_host_says_of_its_packages_are_not_repeated(
    bench: Bench, server: str, installer: str, kind: str
) -> None:
    """direct_url.json of an older installer has them: no plan, report, doctor or SBOM does, nor what refuses it."""
    audit = Audit(bench, server, installer=installer)
    host = bench.own_host("engine==1.0", "fuel==1.0")
    (info,) = host.site_packages.glob("engine-*.dist-info")
    url = f"https://{_USER}:{_QUOTED}@example.org/engine.whl?signature={_TOKEN}"
    known = {"vcs_info": {"vcs": "git", "commit_id": "0" * 40, "requested_revision": "main"}}
    document = {"url": url, **(known if kind == "repository" else {"archive_info": {}})}
    (info / "direct_url.json").write_text(json.dumps(document), encoding="utf-8")
    bench.watch(host)
    project = project_of(bench, requires=["engine", "tool"], imports=["engine"])
    refused = project_of(bench, "refused", requires=["engine>=2"])
    options = ("--host", host, "--passthrough", "engine", "--find-links", bench.workshop.house.index, "--no-index")

    audit.everywhere(project, *options)
    shown = audit.run("plan", project, *options, json=False)
    failed = audit.run("wheel", refused, *options, code=3)
    told = audit.run("plan", refused, *options, "--explain", "engine", code=3, json=False)

    assert "example.org/engine.whl" in shown.stdout
    assert failed.error["code"] == "version-mismatch"
    assert "example.org" in failed.error["message"]
    assert "example.org" in told.stdout + told.stderr
    audit.files()


@pytest.mark.parametrize("where", ["pyproject.toml", "a setting", "a hook"])
@pytest.mark.parametrize("answer", ["found", "missing"])
def test_credentials_of_a_build_requirement_are_not_told(
    bench: Bench, server: str, installer: str, where: str, answer: str
) -> None:
    """`name @ URL`: neither the plan, nor the report, nor what is kept of the wheel, nor an error repeats them."""
    audit = Audit(bench, server, installer=installer)
    file = "tool-1.0-py3-none-any.whl" if answer == "found" else "tool-9.0-py3-none-any.whl"
    requirement = f"tool @ {audit.url}/files/{file}"
    asked = {"pyproject.toml": {"requires": [requirement]}, "a hook": {"requires_wheel": [requirement]}}.get(where, {})
    archive = sdist(bench, imports=["tool"], **asked)
    options = ["--host", bench.host()]
    options += ["--build-requires", requirement] if where == "a setting" else []
    report = ("--report", bench.folder / "report.json")

    for command, more in (("plan", ()), ("plan", ("--explain", "tool")), ("wheel", ()), ("wheel", ("-v", "--rebuild"))):
        is_built = command == "plan" or answer == "found"
        audit.run(command, archive, *options, *report, *more, json=command == "wheel", code=0 if is_built else 3)
    audit.run("doctor", archive, *options, code=None)

    audit.files()
    assert fingerprint(bench.outdir).keys() == ({"sample-1.0-py3-none-any.whl"} if answer == "found" else set())


def test_an_error_of_the_api_repeats_no_credentials(bench: Bench, server: str) -> None:
    """`str(error)`, which is what programs log."""
    program = (
        "import passbuild, sys\n"
        "try:\n    passbuild.build_wheel(sys.argv[1], host=sys.argv[2], outdir=sys.argv[3])\n"
        "except passbuild.PassbuildError as error:\n    print(error.code, error)\n"
    )
    audit = Audit(bench, server)
    project = project_of(bench, requires=[f"tool @ {audit.url}/files/gone-1.0-py3-none-any.whl?token={_TOKEN}"])

    finished = subprocess.run(
        [sys.executable, "-c", program, str(project), str(bench.host()), str(bench.outdir)],
        env={**bench.environ, **audit.environ},
        capture_output=True,
        text=True,
        check=True,
    )

    assert finished.stdout.startswith("unresolvable ")
    assert leaks(finished.stdout) == []


# --- as people write it -----------------------------------------------------------------------------------------------

_PLAIN = f"k4n/{_TOKEN}"
"""A password with a slash, written as it is."""


@pytest.mark.parametrize(
    "where",
    [
        *("--index-url", "--extra-index-url", "--find-links", "--shared-wheels", "--build-requires"),
        *("PIP_INDEX_URL", "UV_INDEX", "HTTPS_PROXY", "HTTP_PROXY", "pyproject.toml", "SOURCE"),
    ],
)
def test_a_password_with_a_slash_is_not_told(bench: Bench, server: str, installer: str, where: str) -> None:
    """No tool can use such a URL, which is why its error repeats it."""
    audit = Audit(bench, server, installer=installer)
    url = f"http://{_USER}:{_PLAIN}@{server}/simple/"
    link = f"helper @ http://{_USER}:{_PLAIN}@{server}/files/helper-1.0-py3-none-any.whl"
    project = project_of(bench, requires=["tool", link] if where == "pyproject.toml" else ["tool"])
    source = url.replace("simple/", "sample-1.0.tar.gz") if where == "SOURCE" else project
    options: list[object] = ["--host", bench.host(), "--report", bench.folder / "report.json"]
    options += [where, link if "requires" in where else url] if where.startswith("--") else []
    environ = {} if where.startswith("--") else {where: f"priv={url}" if where == "UV_INDEX" else url}
    environ = {} if where in {"pyproject.toml", "SOURCE"} else {**audit.empty, **environ}

    for command in ("plan", "wheel"):
        for as_json in (True, False):
            outcome = audit.run(command, source, *options, json=as_json, environ=environ, code=None)
            assert "bug in passbuild" not in outcome.stderr
    audit.run("doctor", source, *options[:2], json=True, environ=environ, code=None)
    audit.files()


def test_a_password_with_a_slash_in_a_file_of_requirements_is_not_told(bench: Bench, server: str) -> None:
    """Neither that of an index there, nor that of a source."""
    audit = Audit(bench, server)
    file = bench.folder / "wanted.txt"
    url = f"http://{_USER}:{_PLAIN}@{server}"
    file.write_text(f"--index-url {url}/simple/\nsample @ {url}/files/sample-1.0.tar.gz\n", encoding="utf-8")

    for as_json in (True, False):
        audit.run("wheel", f"--requirement={file}", "--host", bench.host(), json=as_json, code=1)
    audit.files()


@pytest.mark.parametrize("text", [f"u:{_TOKEN}@host/simple", f"http:u:{_TOKEN}@host", f"https:\\\\u:{_TOKEN}@host"])
def test_what_is_no_url_is_told_without_its_user(bench: Bench, server: str, text: str) -> None:
    """The error says what is wrong, and where."""
    audit = Audit(bench, server)
    project = project_of(bench)

    for as_json in (True, False):
        run = audit.run("plan", project, "--index-url", text, "--host", bench.host(), json=as_json, code=2)
        assert "***@host" in run.stderr
        assert "is no URL" in run.stderr


def test_a_token_in_a_fragment_is_not_told(bench: Bench, server: str, installer: str) -> None:
    """Behind ``#`` stand hashes, and what else people put there."""
    audit = Audit(bench, server, installer=installer)
    sdist(bench)
    url = f"{audit.url}/files/sample-1.0.tar.gz#token={_TOKEN}"

    for as_json in (True, False):
        audit.run("plan", url, "--host", bench.host(), json=as_json, code=None)
        audit.run("plan", url.replace("#", "#sha256=x-y&"), "--host", bench.host(), json=as_json, code=2)
    audit.files()


@pytest.mark.parametrize(
    "url", [f"git:{_TOKEN}@h:r.git", f"https://h/r.git;jsession={_TOKEN}", f"https://u:{_PLAIN}@h/r.git"]
)
def test_a_host_that_records_secrets_as_nobody_should_is_not_repeated(bench: Bench, server: str, url: str) -> None:
    """``direct_url`` in the report, in a plan, in an SBOM and in what refuses it."""
    audit = Audit(bench, server)
    host = bench.own_host("engine==1.0", "fuel==1.0")
    (info,) = host.site_packages.glob("engine-*.dist-info")
    document = {"url": url, "vcs_info": {"vcs": "git", "commit_id": "0" * 40, "requested_revision": "main"}}
    (info / "direct_url.json").write_text(json.dumps(document), encoding="utf-8")
    bench.watch(host)
    project = project_of(bench, requires=["engine"], imports=["engine"])
    refused = project_of(bench, "refused", requires=["engine>=2"])
    options = ("--host", host, "--passthrough", "engine", "--find-links", bench.workshop.house.index, "--no-index")

    audit.everywhere(project, *options)
    for as_json in (True, False):
        audit.run("wheel", refused, *options, json=as_json, code=3)


def test_a_token_in_a_query_is_not_written_into_the_host(bench: Bench, server: str, installer: str) -> None:
    """`passbuild install URL?token=…`: direct_url.json has the address alone (PEP 610)."""
    audit = Audit(bench, server, installer=installer)
    archive = sdist(bench)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    host = bench.own_host()
    url = f"{audit.url}/files/sample-1.0.tar.gz?token={_TOKEN}#sha256={digest}"

    audit.run("install", url, "--host", host, "--find-links", bench.workshop.house.index, "--no-index")

    (info,) = host.site_packages.glob("sample-1.0.dist-info")
    origin = json.loads((info / "direct_url.json").read_text(encoding="utf-8"))
    assert origin["url"] == f"http://{server}/files/sample-1.0.tar.gz"
    assert origin["archive_info"] == {"hashes": {"sha256": digest}}
    assert hidden(host.site_packages) == []


def test_a_kept_environment_records_no_token(bench: Bench, server: str, installer: str) -> None:
    """What pip and uv write of a build requirement at a URL is cleaned, and RECORD has the hash of what is there."""
    audit = Audit(bench, server, installer=installer)
    requirement = f"tool @ {audit.url}/files/tool-1.0-py3-none-any.whl?token={_TOKEN}"
    project = project_of(bench, requires=[requirement], imports=["tool"])

    run = audit.run("wheel", project, "--host", bench.host())

    assert run.document["environment"]["stored"] is True
    (file,) = Path(run.document["environment"]["folder"]).rglob("tool-1.0.dist-info/direct_url.json")
    assert json.loads(file.read_text(encoding="utf-8"))["url"] == f"http://{server}/files/tool-1.0-py3-none-any.whl"
    content = file.read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    record = file.with_name("RECORD").read_text(encoding="utf-8").splitlines()
    assert f"tool-1.0.dist-info/direct_url.json,sha256={digest},{len(content)}" in record
    assert len([row for row in record if "direct_url.json" in row]) == 1
    audit.files()


def test_a_kept_folder_is_told_to_hold_what_the_installer_read(bench: Bench, server: str) -> None:
    """`--keep` keeps the file by which the installer got its index, credentials and all."""
    audit = Audit(bench, server)
    project = project_of(bench, requires=["tool"], imports=["tool"])

    run = audit.run("wheel", project, "--host", bench.host(), "--keep", "--index-url", f"{audit.url}/simple/")

    assert "may hold credentials" in run.stderr
    for path in run.document["kept"]:
        shutil.rmtree(Path(path).parent)


def test_what_pip_builds_sees_no_settings_of_ours(bench: Bench, server: str, installer: str) -> None:
    """Nothing passes through, so the installer builds the sdist of a build requirement itself, in its environment."""
    audit = Audit(bench, server, installer=installer)
    folder = bench.folder / "depx-1.0"
    folder.mkdir()
    (folder / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: depx\nVersion: 1.0\n", encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "maker"\nbackend-path = ["."]\n', encoding="utf-8"
    )
    house = Path(__file__).parents[1] / "samples" / "records_what_it_sees" / "backend"
    shutil.copy(house / "tiny_wheel.py", folder)
    (folder / "maker.py").write_text(
        "import os, tiny_wheel\nfrom pathlib import Path\n"
        "def build_wheel(folder, config_settings=None, metadata_directory=None):\n"
        f"    Path({str(bench.folder / 'seen.txt')!r}).write_text('\\n'.join(sorted(os.environ)))\n"
        "    return tiny_wheel.write(Path(folder), 'depx', '1.0', {'depx/__init__.py': ''}).name\n",
        encoding="utf-8",
    )
    shutil.make_archive(str(bench.folder / "pages" / "depx-1.0"), "gztar", bench.folder, folder.name)
    project = project_of(bench, imports=["depx"])
    environ = {"PASSBUILD_INDEX_URL": f"{audit.url}/simple/", "PASSBUILD_PROTECT_HOST": "off"}

    requirement = f"depx @ {audit.url}/files/depx-1.0.tar.gz"
    audit.run("wheel", project, "--host", bench.host(), "--build-requires", requirement, environ=environ)

    seen = (bench.folder / "seen.txt").read_text(encoding="utf-8").split()
    assert "PIP_CACHE_DIR" in seen
    assert [name for name in seen if name.startswith("PASSBUILD_")] == []
