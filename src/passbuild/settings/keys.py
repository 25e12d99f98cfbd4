"""The registry of settings: each key once, with its kind, its names and the places where it may stand.

The command line, the environment variables, the accepted TOML keys and the reference page are all made from it.
"""

from __future__ import annotations

from enum import Enum, Flag, auto

from passbuild.settings.model import Ci, Color, InstallerChoice, OnMismatch, OnMissing, Pin, ProtectHost, SharedMode
from passbuild.values import frozen


class Kind(Enum):
    """How a value is written and read."""

    NAMES = "names"
    """A list of PEP 503 names or PEP 508 requirements."""
    REQUIREMENTS = "requirements"
    """A list of PEP 508 requirements."""
    TAKEN = "names to take away"
    """A list of PEP 503 names, or `:all:`."""
    FILES = "files"
    """A list of paths."""
    PAIRS = "config settings"
    """`KEY=VALUE` pairs (a table in TOML)."""
    DOCUMENT = "JSON object"
    """Config settings as one JSON object."""
    VARIABLES = "variables"
    """`NAME=VALUE` pairs (a table in TOML)."""
    TEXT = "text"
    URL = "URL"
    """One URL; credentials in it are not shown."""
    URLS = "URLs"
    """A list of URLs."""
    LINKS = "links"
    """A list of paths or URLs."""
    PATH = "path"
    CHOICE = "choice"
    FLAG = "flag"
    COUNT = "count"
    NUMBER = "number"
    """A whole number, not negative."""


class Place(Flag):
    """Where a key may stand, besides the environment and the command line."""

    NOWHERE = 0
    PROJECT = auto()
    """`[tool.passbuild]` in pyproject.toml."""
    USER = auto()
    """The top level of the user's configuration file."""
    PACKAGE = auto()
    """A `[package.NAME]` table of the user's file, or `[tool.passbuild.package.NAME]` of the project one works in."""


class Group(Enum):
    """What a setting is about, as `--help` and the reference page put them together."""

    HOST = "What comes from the host"
    INSTALL = "What is installed, and from where"
    BACKEND = "What the build backend gets"
    ARTIFACT = "What comes out"
    STORE = "What is kept and reused"
    TELL = "What is told, and how"


@frozen
class Key:
    """One setting."""

    name: str
    """As TOML writes it."""
    group: Group
    kind: Kind
    places: Place
    help: str
    """One sentence, for `--help` and the reference page."""
    flags: tuple[str, ...] = ()
    """Option names; empty is `--name`."""
    metavar: str | None = None
    choices: type[Enum] | None = None
    default: str | None = None
    """The default as a user would write it."""
    of_console: bool = False
    """Whether it shapes what the command line prints or writes; callers of the API have the report itself."""

    @property
    def variable(self) -> str:
        """The environment variable, made from the first long option."""
        long = next((flag for flag in self.flags if flag.startswith("--")), f"--{self.name}")
        return "PASSBUILD_" + long.removeprefix("--").replace("-", "_").upper()

    @property
    def field(self) -> str:
        """The Python identifier, as click and the API use it."""
        return self.name.replace("-", "_")


_FILES = Place.PROJECT | Place.USER | Place.PACKAGE

KEYS: tuple[Key, ...] = (
    Key(
        name="passthrough",
        group=Group.HOST,
        kind=Kind.NAMES,
        places=_FILES,
        metavar="NAME",
        help="Take this package from the host: a name, or a requirement such as 'numpy>=2'. Repeatable.",
    ),
    Key(
        name="no-passthrough",
        group=Group.HOST,
        kind=Kind.TAKEN,
        places=_FILES,
        metavar="NAME",
        help="Do not take this package from the host after all; ':all:' stands for every name. Repeatable.",
    ),
    Key(
        name="host",
        group=Group.HOST,
        kind=Kind.TEXT,
        places=Place.USER,
        flags=("--host", "-p", "--python"),
        metavar="PYTHON",
        help="The host: an interpreter, an environment folder, or a version such as 3.12.",
    ),
    Key(
        name="on-mismatch",
        group=Group.HOST,
        kind=Kind.CHOICE,
        places=_FILES,
        choices=OnMismatch,
        default="error",
        help="When the host's version does not fit: stop, install another copy, or use the host's all the same.",
    ),
    Key(
        name="on-missing",
        group=Group.HOST,
        kind=Kind.CHOICE,
        places=_FILES,
        choices=OnMissing,
        default="install",
        help="When a passthrough package is not on the host: install it as usual, or stop.",
    ),
    Key(
        name="build-requires",
        group=Group.INSTALL,
        kind=Kind.REQUIREMENTS,
        places=_FILES,
        metavar="REQUIREMENT",
        help="A build requirement in addition to the project's own. Repeatable.",
    ),
    Key(
        name="build-constraints",
        group=Group.INSTALL,
        kind=Kind.FILES,
        places=_FILES,
        flags=("--build-constraint",),
        metavar="FILE",
        help="Constrain the versions of build requirements by this file. Repeatable.",
    ),
    Key(
        name="installer",
        group=Group.INSTALL,
        kind=Kind.CHOICE,
        places=Place.PROJECT | Place.USER,
        choices=InstallerChoice,
        default="auto",
        help="What installs the build requirements; auto is uv where it is available, else pip.",
    ),
    Key(
        name="index-url",
        group=Group.INSTALL,
        kind=Kind.URL,
        places=_FILES,
        metavar="URL",
        help="The package index, instead of the one that the installer is configured for.",
    ),
    Key(
        name="extra-index-url",
        group=Group.INSTALL,
        kind=Kind.URLS,
        places=_FILES,
        metavar="URL",
        help="Another package index; the best version of all of them counts. Repeatable.",
    ),
    Key(
        name="find-links",
        group=Group.INSTALL,
        kind=Kind.LINKS,
        places=_FILES,
        flags=("-f", "--find-links"),
        metavar="PLACE",
        help="Look for archives in this folder or page, too. Repeatable.",
    ),
    Key(
        name="no-index",
        group=Group.INSTALL,
        kind=Kind.FLAG,
        places=Place.PROJECT | Place.USER,
        default="false",
        help="Ask no package index; only --find-links counts.",
    ),
    Key(
        name="offline",
        group=Group.INSTALL,
        kind=Kind.FLAG,
        places=Place.USER,
        default="false",
        help="Let the installer use no network: uv takes what it has in its cache, pip what --find-links has.",
    ),
    Key(
        name="timeout",
        group=Group.BACKEND,
        kind=Kind.NUMBER,
        places=_FILES,
        metavar="SECONDS",
        default="0",
        help="End a hook of the backend, or an installer that fills the environment, after so long; 0: never.",
    ),
    Key(
        name="protect-host",
        group=Group.HOST,
        kind=Kind.CHOICE,
        places=Place.USER,
        choices=ProtectHost,
        default="auto",
        help="Let the system keep hooks from writing the host; auto: where it can, else look for changes afterwards.",
    ),
    Key(
        name="environment",
        group=Group.BACKEND,
        kind=Kind.VARIABLES,
        places=_FILES,
        flags=("-E", "--environment"),
        metavar="NAME=VALUE",
        help="Set an environment variable for the build backend. Repeatable.",
    ),
    Key(
        name="config-settings",
        group=Group.BACKEND,
        kind=Kind.PAIRS,
        places=_FILES,
        flags=("-C", "--config-setting"),
        metavar="KEY[=VALUE]",
        help="A config setting for the build backend. Repeatable; a repeated key makes a list.",
    ),
    Key(
        name="config-json",
        group=Group.BACKEND,
        kind=Kind.DOCUMENT,
        places=Place.NOWHERE,
        metavar="JSON",
        help="Config settings for the build backend as one JSON object.",
    ),
    Key(
        name="outdir",
        group=Group.ARTIFACT,
        kind=Kind.PATH,
        places=Place.USER,
        flags=("-o", "--outdir"),
        metavar="FOLDER",
        help="Where the artifact goes  [default: 'dist' in the project, the archive's folder, or the current one; "
        "'wheelhouse' for several].",
    ),
    Key(
        name="pin",
        group=Group.ARTIFACT,
        kind=Kind.CHOICE,
        places=_FILES,
        choices=Pin,
        default="none",
        help="Let the wheel require the passed packages in the versions that it was built against.",
    ),
    Key(
        name="sbom",
        group=Group.ARTIFACT,
        kind=Kind.FLAG,
        places=_FILES,
        default="false",
        help="Put a CycloneDX document that names the passed packages into the wheel (PEP 770).",
    ),
    Key(
        name="verify-reproducible",
        group=Group.ARTIFACT,
        kind=Kind.FLAG,
        places=Place.USER,
        default="false",
        help="Build everything a second time, in another folder, and publish it only if both are the same to the byte.",
    ),
    Key(
        name="rebuild",
        group=Group.STORE,
        kind=Kind.FLAG,
        places=Place.NOWHERE,
        default="false",
        help="Build the wheel even where the same one was built before, and keep it instead.",
    ),
    Key(
        name="shared-wheels",
        group=Group.STORE,
        kind=Kind.URL,
        places=Place.PROJECT | Place.USER,
        metavar="PLACE",
        help="Look for built wheels in this folder or fsspec URL, too.",
    ),
    Key(
        name="shared-wheels-mode",
        group=Group.STORE,
        kind=Kind.CHOICE,
        places=Place.PROJECT | Place.USER,
        choices=SharedMode,
        default="read-only",
        help="Whether wheels that are built are also put into --shared-wheels.",
    ),
    Key(
        name="report",
        group=Group.ARTIFACT,
        of_console=True,
        kind=Kind.PATH,
        places=Place.NOWHERE,
        metavar="FILE",
        help="Write the JSON report to this file.",
    ),
    Key(
        name="json",
        group=Group.TELL,
        of_console=True,
        kind=Kind.FLAG,
        places=Place.NOWHERE,
        default="false",
        help="Print the JSON report on standard output instead of the artifact's path.",
    ),
    Key(
        name="keep",
        group=Group.TELL,
        kind=Kind.FLAG,
        places=Place.NOWHERE,
        default="false",
        help="Keep the build environment and the extracted sources, and print where they are.",
    ),
    Key(
        name="no-store",
        group=Group.STORE,
        kind=Kind.FLAG,
        places=Place.USER,
        default="false",
        help="Make the build environment in a temporary folder, and neither reuse one nor keep it for reuse.",
    ),
    Key(
        name="refresh",
        group=Group.STORE,
        kind=Kind.FLAG,
        places=Place.NOWHERE,
        default="false",
        help="Make the build environment anew, and keep it for reuse instead of the one that is there.",
    ),
    Key(
        name="cache-dir",
        group=Group.STORE,
        kind=Kind.PATH,
        places=Place.USER,
        metavar="FOLDER",
        help="Where build environments are kept for reuse  [default: passbuild in the user's cache folder].",
    ),
    Key(
        name="store-max-age",
        group=Group.STORE,
        kind=Kind.NUMBER,
        places=Place.USER,
        metavar="HOURS",
        default="24",
        help="Make a build environment anew when it is older than this.",
    ),
    Key(
        name="store-max-size",
        group=Group.STORE,
        kind=Kind.NUMBER,
        places=Place.USER,
        metavar="MEGABYTES",
        default="5000",
        help="Remove the least recently used build environments when all together are larger than this.",
    ),
    Key(
        name="verbose",
        group=Group.TELL,
        of_console=True,
        kind=Kind.COUNT,
        places=Place.NOWHERE,
        flags=("-v", "--verbose"),
        default="0",
        help="Show the output of the installer and of the build backend as it comes.",
    ),
    Key(
        name="quiet",
        group=Group.TELL,
        of_console=True,
        kind=Kind.COUNT,
        places=Place.NOWHERE,
        flags=("-q", "--quiet"),
        default="0",
        help="Print warnings and errors only; twice: errors only.",
    ),
    Key(
        name="color",
        group=Group.TELL,
        of_console=True,
        kind=Kind.CHOICE,
        places=Place.USER,
        choices=Color,
        default="auto",
        help="When to use colours.",
    ),
    Key(
        name="ci",
        group=Group.TELL,
        of_console=True,
        kind=Kind.CHOICE,
        places=Place.USER,
        choices=Ci,
        default="auto",
        help="Whose groups, annotations and summaries to write; auto looks at the variables of the CI service.",
    ),
    Key(
        name="heartbeat",
        group=Group.TELL,
        of_console=True,
        kind=Kind.NUMBER,
        places=Place.USER,
        metavar="SECONDS",
        default="60",
        help="Without a terminal, say that a step still runs when nothing was said for so long; 0: never.",
    ),
)

CONFIG_FILE = Key(
    name="config-file",
    group=Group.TELL,
    kind=Kind.PATH,
    places=Place.NOWHERE,
    metavar="FILE",
    help="Read this user configuration file instead of the usual one.",
)
"""Not a setting but the place of one; it has an option and a variable all the same."""
