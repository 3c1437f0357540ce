"""Static files under an address that changes with their content, so it may be kept for ever."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles as PlainStaticFiles
from starlette.types import Scope

SERVICE_WORKER = "offline.js"
"""The one script that may speak for every page of the site."""


@cache
def static_path(folder: Path) -> str:
    seen = sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        seen.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return f"/static/{seen.hexdigest()[:12]}"


class StaticFiles(PlainStaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        if path == SERVICE_WORKER:
            response.headers["Service-Worker-Allowed"] = "/"
        return response
