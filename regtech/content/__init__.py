"""Finds the content that ships with the product: ``rules``, ``mappings`` and ``policies``.

In a checkout the folders beside the package are read; in an installed wheel the copies inside it.
An editable install also copies content into site-packages: the checkout is asked first, so that the
copy is never read.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

from regtech.errors import InputError

ContentKind = Literal["rules", "mappings", "policies"]


def content_root(kind: ContentKind) -> Path:
    """Folder of this kind of content.

    Raises ``InputError`` when neither a checkout nor an installed copy holds it.
    """
    package = Path(str(files("regtech")))
    checkout = package.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / kind).is_dir():
        return checkout / kind
    installed = package / "_content" / kind
    if installed.is_dir():
        return installed
    if (checkout / kind).is_dir() and any((checkout / kind).iterdir()):
        return checkout / kind  # a source tree without its project file
    raise InputError(
        f"the content folder {kind!r} is not installed",
        hint="reinstall the package, or give the folder explicitly",
    )


def read_text(path: Path) -> str:
    """The file as text, strictly UTF-8; raises ``InputError`` when it cannot be read at all."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}", code="encoding") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
