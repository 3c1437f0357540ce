"""Many folders: the good are there, whatever the bad are like."""

import shutil
from pathlib import Path

import pytest

from app.models.checkpoints import read_checkpoint, read_checkpoints
from app.models.checkpoints.loader import MAX_TOKENS


@pytest.fixture
def make_checkpoints(checkpoint_folder, tmp_path):
    """Copies of tiny checkpoints in one folder, by the names they are to have."""

    def filled(**kinds):
        for name, kind in kinds.items():
            shutil.copytree(checkpoint_folder(kind), tmp_path / "shelf" / name)
        return tmp_path / "shelf"

    return filled


def model_ids(result):
    return [model.card.id for model in result.models]


def test_a_folder_of_folders_is_read_by_their_names_in_order(make_checkpoints):
    result = read_checkpoints([make_checkpoints(second="bert", first="llama", third="gpt2")])
    assert model_ids(result) == ["first", "second", "third"]
    assert result.errors == []


def test_good_checkpoints_load_and_each_bad_one_is_reported(make_checkpoints, tmp_path):
    root = make_checkpoints(
        good="bert", cut="gpt2", unknown="llama", untold="qwen2", last="roberta"
    )
    (root / "cut" / "model.safetensors").write_bytes(b"cut")
    (root / "unknown" / "config.json").write_text('{"model_type": "unheard-of"}')
    (root / "untold" / "tokenizer.json").write_text("{}")
    result = read_checkpoints([root, tmp_path / "nowhere", Path("x" * 300)])
    assert model_ids(result) == ["good", "last"]
    messages = " / ".join(map(str, result.errors))
    for folder in ("cut", "unknown", "untold", "nowhere", "x" * 300):
        assert f"{folder}: " in messages
    assert len(result.errors) == 5


def test_a_tokenizer_that_panics_does_not_affect_other_checkpoints(make_checkpoints):
    root = make_checkpoints(good="bert", panics="bert")
    tokenizer_json = (root / "panics" / "tokenizer.json").read_text("utf-8")
    broken = tokenizer_json.replace('"type":"BertPreTokenizer"', '"type":"FixedLength","length":0')
    assert broken != tokenizer_json
    (root / "panics" / "tokenizer.json").write_text(broken, "utf-8")
    result = read_checkpoints([root])
    assert model_ids(result) == ["good"]
    assert "panics: " in str(result.errors[0])


def test_an_unexpected_error_does_not_affect_other_checkpoints(make_checkpoints, monkeypatch):
    def fails(config):
        raise ArithmeticError("unforeseen")

    monkeypatch.setattr("app.models.checkpoints.loader.architecture_of", fails)
    result = read_checkpoints([make_checkpoints(good="bert")])
    assert "good: cannot be loaded: ArithmeticError('unforeseen')" in str(result.errors[0])


def test_a_name_that_is_taken_is_refused_with_advice(make_checkpoints):
    result = read_checkpoints([make_checkpoints(mine="bert", other="gpt2")], taken_ids=["mine"])
    assert model_ids(result) == ["other"]
    assert "another model is called mine; rename the folder" in str(result.errors[0])


def test_two_folders_of_one_name_are_one_model(make_checkpoints):
    root = make_checkpoints(**{"a.b": "bert"})
    shutil.copytree(root / "a.b", root.parent / "elsewhere" / "a.b")
    result = read_checkpoints([root, root.parent / "elsewhere"])
    assert model_ids(result) == ["a.b"]
    assert "another model is called a.b" in str(result.errors[0])


def test_a_snapshot_in_the_hub_cache_is_named_after_its_model(checkpoint_folder, tmp_path):
    cache = tmp_path / "models--some-org--tiny-bert"
    snapshot = cache / "snapshots" / "0123abcd"
    snapshot.mkdir(parents=True)
    (cache / "blobs").mkdir()
    for number, file in enumerate(checkpoint_folder("bert").iterdir()):
        shutil.copy(file, cache / "blobs" / str(number))
        (snapshot / file.name).symlink_to(Path("..") / ".." / "blobs" / str(number))
    for path in (snapshot, cache / "snapshots"):
        assert model_ids(read_checkpoints([path])) == ["tiny-bert"]


@pytest.mark.parametrize(
    ("folder", "name"),
    [("My model (2)", "My-model-2"), ("-é-", "checkpoint"), ("a&b=c#d", "a-b-c-d")],
)
def test_a_name_is_safe_in_a_url(make_checkpoints, folder, name):
    assert model_ids(read_checkpoints([make_checkpoints(**{folder: "bert"})])) == [name]


def test_the_current_folder_has_its_own_name(make_checkpoints, monkeypatch):
    monkeypatch.chdir(make_checkpoints(here="bert") / "here")
    assert read_checkpoint(Path()).card.id == "here"


def test_max_tokens_is_limited_by_the_map_and_the_model(headwise_model):
    assert headwise_model("gpt2").card.max_tokens == MAX_TOKENS
    assert headwise_model("bert").card.max_tokens == 40
    assert headwise_model("roberta-relu").card.max_tokens == 30 - 2


def test_a_folder_without_its_configuration_is_reported(make_checkpoints):
    root = make_checkpoints(good="bert", bare="gpt2")
    (root / "bare" / "config.json").unlink()
    (root / "notes").mkdir()
    result = read_checkpoints([root])
    assert model_ids(result) == ["good"]
    assert [str(each) for each in result.errors] == [
        f"{root / 'bare'}: config.json is missing: this is no folder of a checkpoint"
    ]


def test_the_digest_is_that_of_the_weights_that_were_read(make_checkpoints):
    folder = make_checkpoints(one="bert") / "one"
    model = read_checkpoint(folder)
    before = model.weights_sha256
    shutil.rmtree(folder)
    assert model.weights_sha256 == before
    assert model.megabytes > 0
