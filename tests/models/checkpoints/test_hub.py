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
from tests.fake_hub import COMMIT, run_fake_hub
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint
from tests.test_package import ROOT


@pytest.fixture(scope="module")
def full_repository(tmp_path_factory):
    """A repository that also contains files that are not needed."""
    folder = save_checkpoint("bert", tmp_path_factory.mktemp("repositories") / "tiny")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.safetensors").write_bytes(b"another")
    return folder


@pytest.fixture(scope="module")
def fake_hub(full_repository):
    def without(*names):
        copy = full_repository.with_name("without-" + "-".join(names))
        shutil.copytree(full_repository, copy, ignore=shutil.ignore_patterns(*names))
        return copy

    odd = without("nothing")
    (odd / "config.json").write_text('{"model_type": "t5"}')
    repositories = {
        "owner/tiny": full_repository,
        "owner/pickled": without("model.safetensors"),
        "owner/wordless": without("tokenizer.json"),
        "owner/bare": without("model.safetensors", "pytorch_model.bin"),
        "owner/unsized": without("config.json"),
        "owner/odd": odd,
    }
    # Another model of the same name, in shards, with a file that its index does not list.
    parts = without("model.safetensors", "onnx")
    weights = (full_repository / "model.safetensors").read_bytes()
    index = {"weight_map": dict.fromkeys(tensor_names(weights), "weights-1-of-1.safetensors")}
    (parts / "model.safetensors.index.json").write_text(json.dumps(index))
    (parts / "weights-1-of-1.safetensors").write_bytes(weights)
    (parts / "not-in-the-index.safetensors").write_bytes(weights)
    repositories["other/tiny"] = parts
    errors = {"owner/gated": (403, "GatedRepo"), "owner/broken": (500, "")}
    with run_fake_hub(repositories, errors) as running:
        running.commits["other/tiny"] = "decade" + "0" * 34
        yield running


def tensor_names(weights):
    length = int.from_bytes(weights[:8], "little")
    return [name for name in json.loads(weights[8 : 8 + length]) if name != "__metadata__"]


@pytest.fixture
def run_add(fake_hub, tmp_path):
    """Run `python -m app checkpoint add` in an empty folder."""

    def run(*arguments, **environment):
        fake_hub.fetched.clear()
        defaults = {"HF_ENDPOINT": fake_hub.address, "HF_HOME": str(tmp_path / "home"),
                "PYTHONPATH": str(ROOT)}  # fmt: skip
        command = [sys.executable, "-m", "app", "checkpoint", "add", *arguments]
        result = subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | defaults | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in result.stderr
        return SimpleNamespace(code=result.returncode, out=result.stdout, err=result.stderr)

    return run


def test_an_added_checkpoint_can_be_read(run_add, fake_hub, tmp_path):
    result = run_add("owner/tiny")
    assert result.code == 0, result.err
    assert "tiny: BERT, 3 layers × 4 heads, width 32" in result.out
    assert "HEADWISE_CHECKPOINTS=checkpoints make serve" in result.out
    model = read_checkpoint(tmp_path / "checkpoints" / "tiny")
    assert model.card.id == "tiny"
    assert (
        model.weights_sha256 == read_checkpoint(fake_hub.repositories["owner/tiny"]).weights_sha256
    )


def test_only_needed_files_are_fetched_and_never_a_pickle(run_add, fake_hub, tmp_path):
    assert run_add("owner/tiny").code == 0
    assert sorted(fake_hub.fetched) == ["config.json", "model.safetensors", "tokenizer.json"]
    folder = tmp_path / "checkpoints" / "tiny"
    assert {file.name for file in folder.iterdir()} == {*fake_hub.fetched, ".cache"}


def test_a_folder_with_another_model_is_refused_and_unchanged(run_add, fake_hub, tmp_path):
    assert run_add("owner/tiny").code == 0
    folder = tmp_path / "checkpoints" / "tiny"
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    result = run_add("other/tiny")
    assert result.code == 1
    assert not fake_hub.fetched
    assert "checkpoints/tiny contains files of another model" in result.err
    assert "--to" in result.err
    assert "delete it" in result.err
    assert len(result.err.splitlines()) == 1
    assert before == {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    assert run_add("other/tiny", "--to", "beside").code == 0


def test_a_folder_with_files_from_elsewhere_is_refused(run_add, fake_hub, tmp_path):
    shutil.copytree(fake_hub.repositories["owner/tiny"], tmp_path / "mine")
    assert "mine contains files of another model" in run_add("owner/tiny", "--to", "mine").err


def test_the_same_model_can_be_added_again(run_add, tmp_path):
    assert run_add("owner/tiny").code == 0
    (tmp_path / "checkpoints" / "tiny" / "tokenizer.json").unlink()
    assert run_add("owner/tiny").code == 0


def test_of_sharded_weights_only_the_files_in_the_index_are_fetched(run_add, fake_hub, tmp_path):
    result = run_add("other/tiny")
    assert result.code == 0, result.err
    assert sorted(fake_hub.fetched) == [
        "config.json",
        "model.safetensors.index.json",
        "tokenizer.json",
        "weights-1-of-1.safetensors",
    ]


def test_an_index_naming_a_file_outside_the_folder_is_refused(run_add, fake_hub):
    index = fake_hub.repositories["other/tiny"] / "model.safetensors.index.json"
    before = index.read_bytes()
    try:
        index.write_text('{"weight_map": {"a": "../b.safetensors"}}')
        result = run_add("other/tiny")
    finally:
        index.write_bytes(before)
    assert result.code == 1
    assert "Headwise cannot read the model" in result.err
    assert fake_hub.fetched == ["model.safetensors.index.json"]


def test_folder_and_revision_can_be_chosen(run_add, tmp_path):
    result = run_add("owner/tiny", "--to", "some where", "--revision", COMMIT)
    assert result.code == 0, result.err
    assert "HEADWISE_CHECKPOINTS='some where' make serve" in result.out
    assert read_checkpoint(tmp_path / "some where").card.id == "some-where"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["owner/nobody"], "There is no model owner/nobody at http://127.0.0.1"),
        (["owner/gated"], "owner/gated requires permission of its owners"),
        (["owner/broken"], "responded with status 500. Try again later."),
        (["owner/tiny", "--revision", "v9"], "owner/tiny has no revision v9"),
        (["no/such/name"], "'no/such/name' is not the name of a model"),
        (["owner/pickled"], "only pickled weights (pytorch_model.bin)"),
        (["owner/wordless"], "owner/wordless has no tokenizer.json, so nothing was downloaded"),
        (["owner/bare"], "owner/bare has no model.safetensors, so nothing was downloaded"),
        (["owner/unsized"], "owner/unsized has no config.json, so nothing was downloaded"),
    ],
)
def test_an_unavailable_model_is_reported_in_one_line_before_any_download(
    run_add, fake_hub, tmp_path, arguments, expected
):
    result = run_add(*arguments)
    assert result.code == 1
    assert expected in result.err
    assert len(result.err.splitlines()) == 1
    assert not fake_hub.fetched
    assert not (tmp_path / "checkpoints").exists()


def test_an_unreadable_download_stays_and_the_reason_is_reported(run_add, tmp_path):
    result = run_add("owner/odd")
    assert result.code == 1
    assert "its model_type is 't5'" in result.err
    assert (tmp_path / "checkpoints" / "odd" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    "environment", [{"HF_ENDPOINT": "http://127.0.0.1:9"}, {"HF_HUB_OFFLINE": "1"}]
)
def test_without_a_network_a_workaround_is_named(run_add, environment):
    result = run_add("owner/tiny", **environment)
    assert result.code == 1
    assert "cannot be reached" in result.err
    assert "copy its folder here" in result.err


def test_a_folder_that_cannot_be_written_is_named(run_add, tmp_path):
    (tmp_path / "checkpoints").write_text("a file")
    result = run_add("owner/tiny")
    assert result.code == 1
    assert "cannot be written" in result.err


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(HubError, match=r'pip install "headwise\[hub\]"'):
        import_hub()


def test_an_unexpected_hub_response_is_reported_without_a_traceback(tmp_path):
    with pytest.raises(HubError, match="x/y cannot be downloaded from"):  # noqa: SIM117
        with translate_errors(import_hub(), "x/y", tmp_path, None):
            raise ValueError("this is no JSON")


def test_all_shards_are_downloaded_and_none_from_subfolders(tmp_path):
    parts = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    names = ["config.json", "tokenizer.json", "model.safetensors.index.json", *parts]
    others = ["model/other.safetensors", "onnx/model.safetensors", "consolidated.safetensors"]
    index = {"weight_map": {"a": parts[0], "b": parts[1], "c": parts[0]}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert {*files_to_download("owner/parts", [*names, *others]), *shard_names(tmp_path)} == set(
        names
    )
