"""Static files under an address that changes with their content, so it may be kept for ever.

A folder of styles or scripts is served as one file of its name, `style/` as `style.css`: a page on
a slow network waits for every file that it asks for.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles as PlainStaticFiles
from starlette.types import Scope

SERVICE_WORKER = "offline.js"
"""The one script that may speak for every page of the site."""

TYPES = {".css": "text/css", ".js": "text/javascript"}


@cache
def static_path(folder: Path) -> str:
    seen = sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        seen.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return f"/static/{seen.hexdigest()[:12]}"


def joined(folder: Path, suffix: str) -> str:
    """The styles or scripts of a folder in the order of their names; none sees another's names."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(folder.glob(f"*{suffix}"))]
    return "\n".join(texts if suffix == ".css" else [f"{{\n{text}}}" for text in texts])


class StaticFiles(PlainStaticFiles):
    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self.joined = {
            f"{inner.name}{suffix}": joined(inner, suffix)
            for inner in folder.iterdir()
            for suffix in TYPES
            if inner.is_dir() and any(inner.glob(f"*{suffix}"))
        }

    async def get_response(self, path: str, scope: Scope) -> Response:
        if text := self.joined.get(path):
            response = Response(text, media_type=TYPES[Path(path).suffix])
        else:
            response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        if path == SERVICE_WORKER:
            response.headers["Service-Worker-Allowed"] = "/"
        return response
