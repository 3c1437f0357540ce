import os
import pickle
import shutil
from pathlib import Path

import pytest

from app.models.checkpoints import read_checkpoint, read_checkpoints
from app.models.checkpoints.loader import MAX_TOKENS
from tests.models.checkpoints.damage import change_tokenizer, check_refused


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
    assert "good: it cannot be loaded: ArithmeticError('unforeseen')" in str(result.errors[0])


def test_a_name_that_is_taken_is_refused_with_advice(make_checkpoints):
    result = read_checkpoints([make_checkpoints(mine="bert", other="gpt2")], taken_ids=["mine"])
    assert model_ids(result) == ["other"]
    assert "there is another model mine; rename the folder" in str(result.errors[0])


def test_two_folders_of_one_name_are_one_model(make_checkpoints):
    root = make_checkpoints(**{"a.b": "bert"})
    shutil.copytree(root / "a.b", root.parent / "elsewhere" / "a.b")
    result = read_checkpoints([root, root.parent / "elsewhere"])
    assert model_ids(result) == ["a.b"]
    assert "there is another model a.b" in str(result.errors[0])


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
        f"{root / 'bare'}: config.json is missing: this is not a checkpoint"
    ]


def test_the_digest_is_that_of_the_weights_that_were_read(make_checkpoints):
    folder = make_checkpoints(one="bert") / "one"
    model = read_checkpoint(folder)
    before = model.weights_sha256
    shutil.rmtree(folder)
    assert model.weights_sha256 == before
    assert model.megabytes > 0


def test_a_missing_folder_is_refused(tmp_path):
    check_refused(tmp_path / "none", "there is no such folder")


def test_a_folder_whose_name_is_too_long_is_refused(tmp_path):
    check_refused(tmp_path / ("x" * 300), "File name too long")


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("{}")
    check_refused(tmp_path / "file", "there is no such folder")


def test_an_empty_folder_is_refused(tmp_path):
    check_refused(tmp_path, r"config\.json is missing: this is not a checkpoint")


class MakesFolderWhenUnpickled:
    """What a pickle can do: this one makes a file when it is loaded."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.mkdir, (str(self.file),)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.ckpt", "weights.pkl"])
def test_pickled_weights_are_never_opened(copy_checkpoint, tmp_path, name):
    folder, marker = copy_checkpoint("bert"), tmp_path / "it-ran"
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(MakesFolderWhenUnpickled(marker)))
    check_refused(
        folder, rf"pickled \({name}\).*Save the model again.*model\.save_pretrained\(folder\)"
    )
    assert not marker.exists()


def test_the_pickle_of_that_test_does_execute_code(tmp_path):
    pickle.loads(pickle.dumps(MakesFolderWhenUnpickled(tmp_path / "it-ran")))  # noqa: S301
    assert (tmp_path / "it-ran").exists()


def test_a_pickle_next_to_the_weights_is_ignored(copy_checkpoint, tmp_path):
    folder, marker = copy_checkpoint("bert"), tmp_path / "it-ran"
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(MakesFolderWhenUnpickled(marker)))
    assert read_checkpoint(folder).card.id == "bert"
    assert not marker.exists()


def test_a_folder_without_weights_is_refused(copy_checkpoint):
    folder = copy_checkpoint("bert")
    (folder / "model.safetensors").unlink()
    check_refused(folder, r"neither model\.safetensors nor model\.safetensors\.index\.json")


@pytest.mark.parametrize("length", [0, 1, 8, 100, -1])
def test_incomplete_weights_are_refused(copy_checkpoint, length):
    folder = copy_checkpoint("llama")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:length])
    check_refused(folder, r"model\.safetensors is damaged or incomplete")


def test_a_folder_without_a_tokenizer_is_refused_with_the_way_to_make_one(copy_checkpoint):
    folder = copy_checkpoint("bert")
    (folder / "tokenizer.json").unlink()
    check_refused(folder, r"tokenizer\.json is missing.*AutoTokenizer.*save_pretrained\(folder\)")


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "null", '{"model": {"type": "BPE"}}'])
def test_an_invalid_tokenizer_is_refused(copy_checkpoint, text):
    folder = copy_checkpoint("bert")
    (folder / "tokenizer.json").write_text(text)
    check_refused(folder, r"tokenizer\.json is not a tokenizer")


PANIC_ON_LOAD = {"type": "Precompiled", "precompiled_charsmap": "AAAA"}


PANIC_ON_USE = {"type": "Precompiled", "precompiled_charsmap": "BAAAAP///38AAAAAAAAAAAAA"}


def test_a_tokenizer_that_panics_on_load_is_refused(copy_checkpoint):
    folder = change_tokenizer(
        copy_checkpoint("bert"),
        lambda tokenizer_json: tokenizer_json.update(normalizer=PANIC_ON_LOAD),
    )
    check_refused(folder, r"tokenizer\.json is not a tokenizer: Precompiled")


@pytest.mark.parametrize(
    "part",
    [
        {"normalizer": PANIC_ON_USE},
        {"pre_tokenizer": {"type": "FixedLength", "length": 0}},
    ],
    ids=["index out of bounds", "division by zero"],
)
def test_a_tokenizer_that_panics_on_use_is_refused(copy_checkpoint, part):
    folder = change_tokenizer(
        copy_checkpoint("bert"), lambda tokenizer_json: tokenizer_json.update(part)
    )
    check_refused(folder, "the tokenizer cannot split this text")


def test_a_tokenizer_without_an_unknown_token_is_refused(copy_checkpoint):
    folder = change_tokenizer(
        copy_checkpoint("bert"),
        lambda tokenizer_json: tokenizer_json["model"].update(unk_token="[NONE]"),
    )
    check_refused(folder, "the tokenizer cannot split this text: .*Missing \\[UNK\\] token")


def test_tokens_beyond_the_embedding_are_refused(copy_checkpoint):
    folder = change_tokenizer(
        copy_checkpoint("bert"),
        lambda tokenizer_json: tokenizer_json["model"]["vocab"].update(much=163),
    )
    check_refused(
        folder, r"tokenizer\.json has tokens up to 163, but the weights have embeddings for 163"
    )


def test_special_tokens_beyond_the_embedding_are_refused(copy_checkpoint):
    def number(tokenizer_json):
        tokenizer_json["post_processor"]["special_tokens"]["[CLS]"]["ids"] = [9999]

    check_refused(
        change_tokenizer(copy_checkpoint("bert"), number),
        r"adds the token 9999, but the weights have embeddings for 163",
    )


@pytest.mark.parametrize("pieces", ["", "AA"], ids=["left out", "twice"])
def test_a_tokenizer_that_leaves_out_or_repeats_the_sentence_is_refused(copy_checkpoint, pieces):
    def template(tokenizer_json):
        special, sentence, _ = tokenizer_json["post_processor"]["single"]
        tokenizer_json["post_processor"]["single"] = [special, *(sentence for _ in pieces)]

    check_refused(
        change_tokenizer(copy_checkpoint("bert"), template),
        "does not keep the tokens of a sentence in order",
    )
