"""A hub on localhost with the endpoints that `huggingface_hub` uses."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34


@dataclass
class FakeHub:
    """A running hub.

    `repositories` maps names to folders, and `errors` maps names to a status and an error code.
    `fetched` lists the files that were downloaded. The commit of a repository is `COMMIT`, or that
    in `commits`.
    """

    address: str
    repositories: dict[str, Path]
    errors: dict[str, tuple[int, str]]
    fetched: list[str] = field(default_factory=list)
    commits: dict[str, str] = field(default_factory=dict)

    def commit_of(self, name: str) -> str:
        return self.commits.get(name, COMMIT)


@contextmanager
def run_fake_hub(
    repositories: dict[str, Path], errors: dict[str, tuple[int, str]]
) -> Iterator[FakeHub]:
    """Run a hub in a thread until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeHubHandler)
    fake_hub = FakeHub(f"http://127.0.0.1:{server.server_port}", repositories, errors)
    server.hub = fake_hub
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake_hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class FakeHubHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    commit = COMMIT

    def do_GET(self):
        path = unquote(urlsplit(self.path).path).removeprefix("/")
        if path.startswith("api/models/"):
            self.answer_model_api(path.removeprefix("api/models/"))
        else:
            self.answer_file(path)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_):
        """Log nothing."""

    def answer_model_api(self, path):
        """Send the description of a repository, or the list of its files."""
        for separator in ("/revision/", "/tree/"):
            if separator in path:
                name, _, revision = path.partition(separator)
                break
        else:
            name, separator, revision = path, "/revision/", "main"
        folder = self.folder(name, revision)
        if folder is None:
            return
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        entries = [self.file_entry(folder, file) for file in files]
        siblings = [{"rfilename": entry["path"]} for entry in entries]
        model_info = {"id": name, "modelId": name, "sha": self.commit, "siblings": siblings}
        self.answer(200, json.dumps(entries if separator == "/tree/" else model_info).encode(), {})

    def file_entry(self, folder, file):
        content = file.read_bytes()
        path = file.relative_to(folder).as_posix()
        return {"type": "file", "path": path, "size": len(content), "oid": digest(content)}

    def answer_file(self, path):
        name, _, rest = path.partition("/resolve/")
        revision, _, file = rest.partition("/")
        folder = self.folder(name, revision)
        if folder is None:
            return
        if not (folder / file).is_file():
            self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        content = (folder / file).read_bytes()
        if self.command == "GET":
            self.server.hub.fetched.append(file)
        self.answer(200, content, {"ETag": f'"{digest(content)}"'})

    def folder(self, name, revision):
        """Return the folder of a repository, or send an error and return None."""
        self.commit = COMMIT
        hub = self.server.hub
        if name in hub.errors:
            status, code = hub.errors[name]
            self.answer(status, b"", {"X-Error-Code": code})
        elif name not in hub.repositories:
            self.answer(404, b"", {"X-Error-Code": "RepoNotFound"})
        elif revision not in ("main", hub.commit_of(name)):
            self.answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
        else:
            self.commit = hub.commit_of(name)
            return hub.repositories[name]
        return None

    def answer(self, status, content, headers):
        self.send_response(status)
        fields = {"Content-Length": str(len(content)), "X-Repo-Commit": self.commit, **headers}
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def digest(content):
    return sha1(content, usedforsecurity=False).hexdigest()
