"""The wheel is all that is needed: it runs from any folder."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import STEP_1
from tests.serving import run_server

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def unpacked_wheel(tmp_path_factory):
    """The wheel's content, in a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("headwise-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "content")
    return folder / "content"


@pytest.mark.parametrize(
    "file",
    [
        "site/lessons/multi-head-attention/lesson.toml",
        "site/templates/step.html",
        "site/static/style/base.css",
        "site/static/vendor/htmx.min.js",
        "models/shipped/tokenizer.json",
        "models/shipped/headwise-h8/weights.safetensors",
    ],
)
def test_the_wheel_holds_everything(unpacked_wheel, file):
    assert (unpacked_wheel / "app" / file).is_file()


def test_the_wheel_holds_nothing_of_tests_and_training(unpacked_wheel):
    assert {path.name for path in unpacked_wheel.iterdir() if path.is_dir()} == {
        "app",
        next(path.name for path in unpacked_wheel.glob("*.dist-info")),
    }


def test_the_wheel_serves_the_lesson_from_another_folder(unpacked_wheel, tmp_path):
    with run_server(folder=tmp_path, PYTHONPATH=str(unpacked_wheel)) as address:
        assert b'<svg class="map' in urlopen(address + STEP_1).read()
        listed = json.loads(urlopen(f"{address}/api/v1/models").read())
    assert len(listed) == 8
