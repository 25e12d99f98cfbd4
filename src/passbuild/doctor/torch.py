"""The host's torch, and the ABI of what is compiled against it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from passbuild.doctor import inquiry
from passbuild.doctor.model import fine, problem, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from passbuild.doctor.inquiry import Torch, Unanswered
    from passbuild.doctor.model import Finding
    from passbuild.doctor.scene import Scene

_NAME = canonicalize_name("torch")
_ABI = re.compile(r"-D\s*_GLIBCXX_USE_CXX11_ABI=([01])\b")
_FLAGS = ("CPPFLAGS", "CFLAGS", "CXXFLAGS")


def asked(scene: Scene) -> Torch | Unanswered | None:
    """Return what torch says of itself; None where it has nothing to do with the build."""
    if scene.host is None or not scene.concerns(_NAME):
        return None
    return inquiry.torch(scene.host, scene.environ)


def findings(scene: Scene, torch: Torch | Unanswered | None) -> Iterator[Finding]:
    """Say what torch was built with, and whether flags ask for another ABI than its own."""
    if torch is None:
        return
    if isinstance(torch, inquiry.Unanswered):
        fact = f"the host's torch does not answer: {torch.reason}"
        make = problem if scene.project is None or _NAME in scene.passed else warning
        yield make("torch", fact, "reinstall it; python -c 'import torch' in the host says more")
        return
    toolkit = f"CUDA {torch.cuda}" if torch.cuda else f"ROCm (HIP {torch.hip})" if torch.hip else "no CUDA and no ROCm"
    seen = f"sees {', '.join(torch.devices)}" if torch.devices else "sees no GPU"
    yield fine("torch", f"{torch.version}, built with {toolkit}" + (f"; {seen}" if torch.cuda or torch.hip else ""))
    yield from abi(torch, scene.environ)


def abi(torch: Torch, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Compare torch's ABI of the C++ library with what flags ask for; of several in a variable the last counts."""
    own = int(torch.abi)
    given = {name: values[-1] for name in _FLAGS if (values := _ABI.findall(environ.get(name, "")))}
    for name, value in given.items():
        if int(value) != own:
            fact = f"{name} asks for _GLIBCXX_USE_CXX11_ABI={value}, torch was built with {own}: they do not link"
            yield problem("C++ ABI", fact, f"take -D_GLIBCXX_USE_CXX11_ABI={value} out of {name}")
    if all(int(value) == own for value in given.values()):
        yield fine("C++ ABI", f"torch was built with _GLIBCXX_USE_CXX11_ABI={own}, and no flags ask for another")
