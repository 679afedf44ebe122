"""Builds the wheel: the package, the shared library, and the extension where a C compiler is at hand.

`pip install` calls `build_wheel`. Environment:

    DELTAWIRE_LIBRARY   a shared library that is built already
    DELTAWIRE_PREFIX    a prefix that `ffi-examples/stage` filled, in place of running that
    CC                  the C compiler

Nothing is written beside the sources but what cargo writes to its target folder.
"""

from __future__ import annotations

import base64
import hashlib
import os
import pathlib
import shlex
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import zipfile
from typing import Any, Optional

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGE = HERE / "src" / "deltawire"

if sys.platform == "darwin":
    LIBRARY = "libdeltawire.0.1.dylib"
else:
    LIBRARY = "libdeltawire.so.0.1"


def build_wheel(
    wheel_directory: str,
    config_settings: Optional[dict[str, Any]] = None,
    metadata_directory: Optional[str] = None,
) -> str:
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    name, version = project["name"], project["version"]
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        files = {
            f"{name}/{path.name}": path
            for path in sorted(PACKAGE.iterdir())
            if path.suffix in (".py", ".pyi", ".typed") or path.name == "py.typed"
        }
        library, include = _library(scratch)
        files[f"{name}/{LIBRARY}"] = library
        extension = _extension(scratch, include)
        if extension is None:
            tag = f"py3-none-{platform}"
        else:
            files[f"{name}/{extension.name}"] = extension
            tag = "cp{0}{1}-cp{0}{1}-{2}".format(*sys.version_info[:2], platform)
        files |= {
            f"{name}-{version}.dist-info/licenses/{path.name}": path
            for path in (ROOT / "LICENSE-APACHE", ROOT / "LICENSE-MIT")
        }
        wheel = f"{name}-{version}-{tag}.whl"
        _write(pathlib.Path(wheel_directory) / wheel, files, f"{name}-{version}.dist-info", tag, project)
        return wheel


def build_sdist(sdist_directory: str, config_settings: Optional[dict[str, Any]] = None) -> str:
    raise RuntimeError("there is no source distribution: the library's sources lie outside this folder")


def _library(scratch: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """The shared library and the folder of its header, built where nobody names them."""
    include = ROOT / "include"
    named = os.environ.get("DELTAWIRE_LIBRARY")
    if named:
        return pathlib.Path(named).resolve(strict=True), include
    prefix = os.environ.get("DELTAWIRE_PREFIX")
    if not prefix:
        prefix = str(scratch / "stage")
        subprocess.run([str(ROOT / "ffi-examples" / "stage"), prefix], check=True)
    return (pathlib.Path(prefix) / "lib" / LIBRARY).resolve(strict=True), include


def _extension(scratch: pathlib.Path, include: pathlib.Path) -> Optional[pathlib.Path]:
    """The compiled extension; None, and a word why, where that cannot be had."""
    config = sysconfig.get_config_var
    target = scratch / f"_speedups{config('EXT_SUFFIX')}"
    link = shlex.split(config("LDSHARED") or "cc -shared")
    if os.environ.get("CC"):
        link[:1] = shlex.split(os.environ["CC"])
    command = [
        *link,
        *("-O2", "-fPIC", "-Wall", "-Wextra"),
        f"-I{include}",
        f"-I{sysconfig.get_path('include')}",
        str(PACKAGE / "_speedups.c"),
        *("-o", str(target)),
    ]
    try:
        subprocess.run(command, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"deltawire: built without its C extension, so it is slower: {error}", file=sys.stderr)
        return None
    return target


def _write(
    wheel: pathlib.Path,
    files: dict[str, pathlib.Path],
    info: str,
    tag: str,
    project: dict[str, Any],
) -> None:
    """A zip of the files, of what describes them, and of their hashes."""
    contents = {name: path.read_bytes() for name, path in files.items()}
    contents[f"{info}/METADATA"] = (
        "Metadata-Version: 2.4\n"
        f"Name: {project['name']}\n"
        f"Version: {project['version']}\n"
        f"Summary: {project['description']}\n"
        f"License-Expression: {project['license']}\n"
        "License-File: LICENSE-APACHE\n"
        "License-File: LICENSE-MIT\n"
        f"Requires-Python: {project['requires-python']}\n"
        "Description-Content-Type: text/markdown\n\n" + (HERE / "README.md").read_text()
    ).encode()
    contents[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: deltawire\nRoot-Is-Purelib: false\n" f"Tag: {tag}\n"
    ).encode()
    record = "".join(
        f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in contents.items()
    )
    contents[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            is_shared = ".so" in name or name.endswith(".dylib")
            entry.external_attr = (0o100755 if is_shared else 0o100644) << 16
            archive.writestr(entry, content)


def _digest(content: bytes) -> str:
    digest = hashlib.sha256(content).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
