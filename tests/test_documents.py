"""The documents name files, commands and modules that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    ROOT / "training" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
GENERATED_FOLDERS = ("static/vendor/", "training/build/")
FOLDERS = "app|benchmarks|docs|lessons|requirements|static|templates|tests|training"
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./-]*)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
TARGET = re.compile(r"\bmake ([a-z]+(?:-[a-z]+)*)(?![\w./])")

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT))
)


def code_of(document: Path) -> str:
    """Return the text of all code blocks and code spans."""
    return "\n".join(CODE.findall(document.read_text(encoding="utf-8")))


@each_document
def test_every_link_to_a_file_resolves(document):
    links = LINK.findall(CODE.sub("", document.read_text(encoding="utf-8")))
    assert [link for link in links if not (document.parent / link).exists()] == []


@each_document
def test_every_named_path_exists(document):
    paths = PATH.findall(document.read_text(encoding="utf-8"))
    assert [
        path for path in paths if path not in GENERATED_FOLDERS and not (ROOT / path).exists()
    ] == []


@each_document
def test_every_named_make_target_exists(document):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    assert targets >= set(TARGET.findall(code_of(document)))


def test_the_index_of_decisions_lists_every_page_by_its_title():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    titles = {
        file.name: file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        for file in folder.glob("*.md")
        if file.name != "README.md"
    }
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", index, re.MULTILINE)
    assert {name: title for title, name in listed} == titles


def listed_modules(tree: str) -> list[str]:
    """Return the paths of the modules in an indented tree, such as `app/web/htmx.py`."""
    modules: list[str] = []
    folders: list[tuple[int, str]] = []
    for line in tree.splitlines():
        indent = len(line) - len(line.lstrip())
        folders = [(depth, name) for depth, name in folders if depth < indent]
        names = re.match(r"\s*((?:[\w-]+(?:\.py|/)(?:, | *$| {2,}))+)", f"{line}  ")
        for name in re.findall(r"[\w-]+(?:\.py|/)", names[1] if names else ""):
            path = f"{folders[-1][1] if folders else ''}{name}"
            if name.endswith("/"):
                folders.append((indent, path))
            else:
                modules.append(path)
    return modules


def test_the_tree_in_contributing_lists_every_module_once():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tree = re.search(r"```\n(app/\n.*?)```", text, re.DOTALL)
    assert tree
    listed = listed_modules(tree[1])
    modules = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "app").rglob("*.py")
        if file.name != "__init__.py"
    }
    assert modules - set(listed) == set(), "missing in CONTRIBUTING.md"
    assert set(listed) - modules == set(), "not in app/"
    assert len(listed) == len(modules)
