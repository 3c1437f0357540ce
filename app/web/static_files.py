"""Static files under a URL that contains a hash of their content, so they may be cached for ever.

A page that was cached before an upgrade still has the old hash in its URLs. These URLs serve the
current files, because a page without styles is worse than a page with newer styles.

A folder of styles or scripts is served as one file: `style/` as `style.css`, `script/` as
`script.js`. Each request more would delay the page on a slow network.
"""

import re
from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

SERVICE_WORKER = "offline.js"
"""The service worker, whose scope is the whole site although its URL is below `URL_PREFIX`."""

MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript"}

URL_PREFIX = "/static"

ALLOWED_METHODS = ("GET", "HEAD")

IMMUTABLE = "public, max-age=31536000, immutable"
SHORT_LIVED = "public, max-age=300"

_VERSION_PATTERN = re.compile("[0-9a-f]{12}")


@cache
def static_url(folder: Path) -> str:
    """Return the URL of `folder` with a hash of the names and contents of all its files."""
    digest = sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return f"{URL_PREFIX}/{digest.hexdigest()[:12]}"


def bundle(folder: Path, suffix: str) -> str:
    """Return the styles or scripts of a folder, joined in the order of their names.

    Each script gets its own block scope, so no script depends on the names or the order of others.
    """
    texts = [file.read_text(encoding="utf-8") for file in sorted(folder.glob(f"*{suffix}"))]
    return "\n".join(texts if suffix == ".css" else [f"{{\n{text}}}" for text in texts])


class VersionedStaticFiles(StaticFiles):
    """Serve `folder` at `URL_PREFIX`; the first path segment is a version, 12 hex digits."""

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
