import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from app.models.checkpoints import read_checkpoint
from app.models.checkpoints.hub import HubError, files_to_download, import_hub, translate_errors
from app.models.checkpoints.safetensors_reader import shard_names
from tests.hub import COMMIT, hub
from tests.models.checkpoints.tiny import save
from tests.test_package import ROOT


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A repository, with more than is wanted of it."""
    folder = save("bert", tmp_path_factory.mktemp("repositories") / "tiny")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.safetensors").write_bytes(b"another")
    return folder


@pytest.fixture(scope="module")
def served(whole):
    def without(*names):
        copy = whole.with_name("without-" + "-".join(names))
        shutil.copytree(whole, copy, ignore=shutil.ignore_patterns(*names))
        return copy

    odd = without("nothing")
    (odd / "config.json").write_text('{"model_type": "t5"}')
    repositories = {
        "owner/tiny": whole,
        "owner/pickled": without("model.safetensors"),
        "owner/wordless": without("tokenizer.json"),
        "owner/bare": without("model.safetensors", "pytorch_model.bin"),
        "owner/unsized": without("config.json"),
        "owner/odd": odd,
    }
    # Another model of the same name, in parts, with weights that its index does not name.
    parts = without("model.safetensors", "onnx")
    weights = (whole / "model.safetensors").read_bytes()
    index = {"weight_map": dict.fromkeys(tensor_names(weights), "weights-1-of-1.safetensors")}
    (parts / "model.safetensors.index.json").write_text(json.dumps(index))
    (parts / "weights-1-of-1.safetensors").write_bytes(weights)
    (parts / "model-of-a-rehearsal.safetensors").write_bytes(weights)
    repositories["other/tiny"] = parts
    refusals = {"owner/gated": (403, "GatedRepo"), "owner/broken": (500, "")}
    with hub(repositories, refusals) as running:
        running.commits["other/tiny"] = "decade" + "0" * 34
        yield running


def tensor_names(weights):
    length = int.from_bytes(weights[:8], "little")
    return [name for name in json.loads(weights[8 : 8 + length]) if name != "__metadata__"]


@pytest.fixture
def add(served, tmp_path):
    """`python -m app checkpoint add` in a folder of its own."""

    def run(*arguments, **environment):
        served.fetched.clear()
        here = {"HF_ENDPOINT": served.address, "HF_HOME": str(tmp_path / "home"),
                "PYTHONPATH": str(ROOT)}  # fmt: skip
        command = [sys.executable, "-m", "app", "checkpoint", "add", *arguments]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | here | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)

    return run


def test_an_added_checkpoint_can_be_read(add, served, tmp_path):
    done = add("owner/tiny")
    assert done.code == 0, done.err
    assert "tiny: BERT, 3 layers × 4 heads, width 32" in done.out
    assert "HEADWISE_CHECKPOINTS=checkpoints make serve" in done.out
    model = read_checkpoint(tmp_path / "checkpoints" / "tiny")
    assert model.card.id == "tiny"
    assert model.weights_sha256 == read_checkpoint(served.repositories["owner/tiny"]).weights_sha256


def test_only_what_is_read_is_fetched_and_never_a_pickle(add, served, tmp_path):
    assert add("owner/tiny").code == 0
    assert sorted(served.fetched) == ["config.json", "model.safetensors", "tokenizer.json"]
    folder = tmp_path / "checkpoints" / "tiny"
    assert {file.name for file in folder.iterdir()} == {*served.fetched, ".cache"}


def test_a_folder_with_another_model_is_refused_and_left_as_it_was(add, served, tmp_path):
    assert add("owner/tiny").code == 0
    folder = tmp_path / "checkpoints" / "tiny"
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    done = add("other/tiny")
    assert done.code == 1
    assert not served.fetched
    assert "checkpoints/tiny holds files of another model" in done.err
    assert "--to" in done.err
    assert "delete it" in done.err
    assert len(done.err.splitlines()) == 1
    assert before == {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    assert add("other/tiny", "--to", "beside").code == 0


def test_a_folder_with_files_from_elsewhere_is_refused(add, served, tmp_path):
    shutil.copytree(served.repositories["owner/tiny"], tmp_path / "mine")
    assert "mine holds files of another model" in add("owner/tiny", "--to", "mine").err


def test_the_same_model_can_be_added_again(add, tmp_path):
    assert add("owner/tiny").code == 0
    (tmp_path / "checkpoints" / "tiny" / "tokenizer.json").unlink()
    assert add("owner/tiny").code == 0


def test_of_weights_in_parts_those_are_fetched_that_the_index_names(add, served, tmp_path):
    done = add("other/tiny")
    assert done.code == 0, done.err
    assert sorted(served.fetched) == [
        "config.json",
        "model.safetensors.index.json",
        "tokenizer.json",
        "weights-1-of-1.safetensors",
    ]


def test_an_index_that_names_no_file_beside_it_is_told(add, served):
    index = served.repositories["other/tiny"] / "model.safetensors.index.json"
    before = index.read_bytes()
    try:
        index.write_text('{"weight_map": {"a": "../b.safetensors"}}')
        done = add("other/tiny")
    finally:
        index.write_bytes(before)
    assert done.code == 1
    assert "Headwise cannot read it" in done.err
    assert served.fetched == ["model.safetensors.index.json"]


def test_it_goes_where_it_is_told_to_in_the_revision_that_was_named(add, tmp_path):
    done = add("owner/tiny", "--to", "some where", "--revision", COMMIT)
    assert done.code == 0, done.err
    assert "HEADWISE_CHECKPOINTS='some where' make serve" in done.out
    assert read_checkpoint(tmp_path / "some where").card.id == "some-where"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["owner/nobody"], "There is no model owner/nobody at http://127.0.0.1"),
        (["owner/gated"], "open only to those whom its owners let in"),
        (["owner/broken"], "answered 500. Try again later."),
        (["owner/tiny", "--revision", "v9"], "owner/tiny has no revision v9"),
        (["no/such/name"], "'no/such/name' is no name of a model"),
        (["owner/pickled"], "only pickled weights (pytorch_model.bin)"),
        (["owner/wordless"], "owner/wordless has no tokenizer.json, so nothing was downloaded"),
        (["owner/bare"], "owner/bare has no model.safetensors, so nothing was downloaded"),
        (["owner/unsized"], "owner/unsized has no config.json, so nothing was downloaded"),
    ],
)
def test_what_cannot_be_had_is_told_in_a_sentence_before_anything_is_fetched(
    add, served, tmp_path, arguments, said
):
    done = add(*arguments)
    assert done.code == 1
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert not served.fetched
    assert not (tmp_path / "checkpoints").exists()


def test_what_was_fetched_but_cannot_be_read_stays_and_says_why(add, tmp_path):
    done = add("owner/odd")
    assert done.code == 1
    assert "its model_type is 't5'" in done.err
    assert (tmp_path / "checkpoints" / "odd" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    "environment", [{"HF_ENDPOINT": "http://127.0.0.1:9"}, {"HF_HUB_OFFLINE": "1"}]
)
def test_without_a_network_the_way_out_is_named(add, environment):
    done = add("owner/tiny", **environment)
    assert done.code == 1
    assert "cannot be reached" in done.err
    assert "copy its folder here" in done.err


def test_a_folder_that_cannot_be_written_is_named(add, tmp_path):
    (tmp_path / "checkpoints").write_text("a file")
    done = add("owner/tiny")
    assert done.code == 1
    assert "cannot be written" in done.err


def test_without_the_package_it_is_told_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(HubError, match=r'pip install "headwise\[hub\]"'):
        import_hub()


def test_what_no_hub_would_say_is_told_without_a_traceback(tmp_path):
    with pytest.raises(HubError, match="x/y could not be fetched from"):  # noqa: SIM117
        with translate_errors(import_hub(), "x/y", tmp_path, None):
            raise ValueError("this is no JSON")


def test_of_weights_in_parts_all_parts_are_wanted_and_none_from_folders(tmp_path):
    parts = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    names = ["config.json", "tokenizer.json", "model.safetensors.index.json", *parts]
    others = ["model/other.safetensors", "onnx/model.safetensors", "consolidated.safetensors"]
    index = {"weight_map": {"a": parts[0], "b": parts[1], "c": parts[0]}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert {*files_to_download("owner/parts", [*names, *others]), *shard_names(tmp_path)} == set(
        names
    )
