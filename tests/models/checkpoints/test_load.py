"""Many folders: the good are there, whatever the bad are like."""

import shutil
from pathlib import Path

import pytest

from app.models.checkpoints import read_checkpoint, read_checkpoints
from app.models.checkpoints.loader import MAX_TOKENS


@pytest.fixture
def shelf(checkpoint, tmp_path):
    """Copies of tiny checkpoints in one folder, by the names they are to have."""

    def filled(**kinds):
        for name, kind in kinds.items():
            shutil.copytree(checkpoint(kind), tmp_path / "shelf" / name)
        return tmp_path / "shelf"

    return filled


def names(found):
    return [model.card.id for model in found.models]


def test_a_folder_of_folders_is_read_by_their_names_in_order(shelf):
    found = read_checkpoints([shelf(second="bert", first="llama", third="gpt2")])
    assert names(found) == ["first", "second", "third"]
    assert found.errors == []


def test_the_good_are_there_and_each_bad_one_says_why_not(shelf, tmp_path):
    root = shelf(good="bert", cut="gpt2", unknown="llama", untold="qwen2", last="roberta")
    (root / "cut" / "model.safetensors").write_bytes(b"cut")
    (root / "unknown" / "config.json").write_text('{"model_type": "unheard-of"}')
    (root / "untold" / "tokenizer.json").write_text("{}")
    found = read_checkpoints([root, tmp_path / "nowhere", Path("x" * 300)])
    assert names(found) == ["good", "last"]
    told = " / ".join(map(str, found.errors))
    for folder in ("cut", "unknown", "untold", "nowhere", "x" * 300):
        assert f"{folder}: " in told
    assert len(found.errors) == 5


def test_a_tokenizer_that_panics_takes_nothing_down(shelf):
    root = shelf(good="bert", panics="bert")
    told = (root / "panics" / "tokenizer.json").read_text("utf-8")
    broken = told.replace('"type":"BertPreTokenizer"', '"type":"FixedLength","length":0')
    assert broken != told
    (root / "panics" / "tokenizer.json").write_text(broken, "utf-8")
    found = read_checkpoints([root])
    assert names(found) == ["good"]
    assert "panics: " in str(found.errors[0])


def test_what_nobody_foresaw_takes_nothing_down(shelf, monkeypatch):
    def fails(config):
        raise ArithmeticError("unforeseen")

    monkeypatch.setattr("app.models.checkpoints.loader.architecture_of", fails)
    found = read_checkpoints([shelf(good="bert")])
    assert "good: cannot be loaded: ArithmeticError('unforeseen')" in str(found.errors[0])


def test_a_name_that_is_taken_is_refused_with_the_way_out(shelf):
    found = read_checkpoints([shelf(mine="bert", other="gpt2")], taken_ids=["mine"])
    assert names(found) == ["other"]
    assert "another model is called mine; rename the folder" in str(found.errors[0])


def test_two_folders_of_one_name_are_one_model(shelf):
    root = shelf(**{"a.b": "bert"})
    shutil.copytree(root / "a.b", root.parent / "elsewhere" / "a.b")
    found = read_checkpoints([root, root.parent / "elsewhere"])
    assert names(found) == ["a.b"]
    assert "another model is called a.b" in str(found.errors[0])


def test_a_snapshot_in_a_hubs_cache_is_called_as_its_model(checkpoint, tmp_path):
    cache = tmp_path / "models--some-org--tiny-bert"
    snapshot = cache / "snapshots" / "0123abcd"
    snapshot.mkdir(parents=True)
    (cache / "blobs").mkdir()
    for number, file in enumerate(checkpoint("bert").iterdir()):
        shutil.copy(file, cache / "blobs" / str(number))
        (snapshot / file.name).symlink_to(Path("..") / ".." / "blobs" / str(number))
    for asked in (snapshot, cache / "snapshots"):
        assert names(read_checkpoints([asked])) == ["tiny-bert"]


@pytest.mark.parametrize(
    ("folder", "name"),
    [("My model (2)", "My-model-2"), ("-é-", "checkpoint"), ("a&b=c#d", "a-b-c-d")],
)
def test_a_name_can_stand_in_an_address(shelf, folder, name):
    assert names(read_checkpoints([shelf(**{folder: "bert"})])) == [name]


def test_the_folder_one_stands_in_has_its_own_name(shelf, monkeypatch):
    monkeypatch.chdir(shelf(here="bert") / "here")
    assert read_checkpoint(Path()).card.id == "here"


def test_no_more_is_read_of_a_sentence_than_a_map_can_show(our_model):
    assert our_model("gpt2").card.max_tokens == MAX_TOKENS
    assert our_model("bert").card.max_tokens == 40
    assert our_model("roberta-relu").card.max_tokens == 30 - 2


def test_a_folder_that_lacks_its_configuration_is_told_and_not_passed_over(shelf):
    root = shelf(good="bert", bare="gpt2")
    (root / "bare" / "config.json").unlink()
    (root / "notes").mkdir()
    found = read_checkpoints([root])
    assert names(found) == ["good"]
    assert [str(each) for each in found.errors] == [
        f"{root / 'bare'}: config.json is missing: this is no folder of a checkpoint"
    ]


def test_the_digest_is_that_of_the_weights_that_were_read(shelf):
    folder = shelf(one="bert") / "one"
    model = read_checkpoint(folder)
    before = model.weights_sha256
    shutil.rmtree(folder)
    assert model.weights_sha256 == before
    assert model.megabytes > 0
