"""Static files under an address that changes with their content, so it may be kept for ever.

A page that was kept somewhere over an upgrade names the address that they had before. There they
are what they are now, since a page without its looks is worse than one with newer looks.

A folder of styles or scripts is served as one file of its name, `style/` as `style.css`: a page on
a slow network waits for every file that it asks for.
"""

import re
from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles as PlainStaticFiles
from starlette.types import Scope

SERVICE_WORKER = "offline.js"
"""The one script that may speak for every page of the site."""

MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript"}


URL_PREFIX = "/static"

ALLOWED_METHODS = ("GET", "HEAD")

IMMUTABLE = "public, max-age=31536000, immutable"
SHORT_LIVED = "public, max-age=300"

_VERSION_PATTERN = re.compile("[0-9a-f]{12}")


@cache
def static_url(folder: Path) -> str:
    digest = sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return f"{URL_PREFIX}/{digest.hexdigest()[:12]}"


def bundle(folder: Path, suffix: str) -> str:
    """The styles or scripts of a folder in the order of their names; none sees another's names."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(folder.glob(f"*{suffix}"))]
    return "\n".join(texts if suffix == ".css" else [f"{{\n{text}}}" for text in texts])


class VersionedStaticFiles(PlainStaticFiles):
    """Stands at `ROOT`; the first part of a path below it is a version of the files."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self.version = static_url(folder).removeprefix(f"{URL_PREFIX}/")
        self.bundles = {
            f"{subfolder.name}{suffix}": bundle(subfolder, suffix)
            for subfolder in folder.iterdir()
            for suffix in MEDIA_TYPES
            if subfolder.is_dir() and any(subfolder.glob(f"*{suffix}"))
        }

    async def get_response(self, path: str, scope: Scope) -> Response:
        if scope["method"] not in ALLOWED_METHODS:
            raise HTTPException(405, headers={"Allow": ", ".join(ALLOWED_METHODS)})
        version, _, file = Path(path).as_posix().partition("/")
        if not _VERSION_PATTERN.fullmatch(version):
            raise HTTPException(404)
        if text := self.bundles.get(file):
            response = Response(text, media_type=MEDIA_TYPES[Path(file).suffix])
        else:
            response = await super().get_response(file, scope)
        response.headers["Cache-Control"] = IMMUTABLE if version == self.version else SHORT_LIVED
        if file == SERVICE_WORKER:
            response.headers["Service-Worker-Allowed"] = "/"
        return response
