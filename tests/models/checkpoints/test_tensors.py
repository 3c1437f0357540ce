"""Files of weights: every kind of number that is read, shards, and every damage that is not."""

import json
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from app.attention import forward
from app.attention.transformer import arrays_of, logits
from app.models.checkpoints import CheckpointError, read_checkpoint
from app.models.checkpoints.safetensors_reader import (
    INDEX_FILE,
    WEIGHTS_FILE,
    SafetensorsReader,
    weight_files,
)
from tests.models.checkpoints.theirs import largest_error, loaded, outcome
from tests.models.checkpoints.tiny import save

F32, F16, BF16 = torch.float32, torch.float16, torch.bfloat16
IDS = [5, 9, 2, 40, 7, 7, 3]


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "gpt2", "llama", "qwen2"])
@pytest.mark.parametrize("dtype", [F32, F16, BF16], ids=str)
def test_rounded_weights_give_what_transformers_computes_of_them_in_float32(tmp_path, kind, dtype):
    save(kind, tmp_path, dtype=dtype)
    model = read_checkpoint(tmp_path)
    ours, theirs = forward(model.transformer, IDS), outcome(loaded(tmp_path, kind, F32), IDS)
    for weights, expected in zip(ours.weights, theirs.weights, strict=True):
        assert largest_error(weights, expected) <= 1e-5
    assert largest_error(logits(ours.model, ours.hidden), theirs.logits) <= 3e-5


def one(folder, numbers, name="x"):
    """A file with one tensor."""
    save_file({name: numbers}, folder / WEIGHTS_FILE)
    return SafetensorsReader(folder)


# Every number that two bytes can spell but those that are infinite or none.
EVERY_HALF = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16)


@pytest.mark.parametrize("dtype", [F16, BF16], ids=str)
def test_widening_two_bytes_is_exact_to_the_bit(tmp_path, dtype):
    every = EVERY_HALF.view(dtype)
    every = every[every.isfinite()]
    into = np.empty(len(every), np.float32)
    one(tmp_path, every).read_into("x", into)
    assert np.array_equal(into.view(np.uint32), every.to(F32).numpy().view(np.uint32))


@pytest.mark.parametrize("dtype", [F32, F16, BF16], ids=str)
def test_a_matrix_is_turned_round_on_the_way(tmp_path, dtype):
    matrix = torch.arange(6).reshape(2, 3).to(dtype)
    into = np.zeros((3, 5), np.float32)
    one(tmp_path, matrix).read_into("x", into[:, 1:3], transposed=True)
    assert into[:, 1:3].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert not into[:, [0, 3, 4]].any()


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama"])
def test_shards_hold_the_same_model_as_one_file(tmp_path, kind):
    whole = read_checkpoint(save(kind, tmp_path / "whole"))
    parts = read_checkpoint(save(kind, tmp_path / "parts", shard="20KB"))
    assert len(weight_files(parts.folder)) > 2
    pairs = zip(arrays_of(parts.transformer), arrays_of(whole.transformer), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("wrong", [torch.inf, -torch.inf, torch.nan])
@pytest.mark.parametrize("dtype", [F32, F16, BF16], ids=str)
def test_a_number_that_is_infinite_or_none_is_refused(tmp_path, wrong, dtype):
    numbers = torch.ones(4, dtype=dtype)
    numbers[2] = wrong
    with pytest.raises(CheckpointError, match="x holds numbers that are infinite or none at all"):
        one(tmp_path, numbers).read_into("x", np.empty(4, np.float32))


@pytest.mark.parametrize("dtype", [torch.int8, torch.float64, torch.int64, torch.bool], ids=str)
def test_numbers_of_another_kind_are_refused_with_those_that_are_read(tmp_path, dtype):
    tensors = one(tmp_path, torch.ones(4, dtype=dtype))
    with pytest.raises(CheckpointError, match="read are F32, F16, BF16"):
        tensors.read_into("x", np.empty(4, np.float32))


def test_numbers_that_nobody_asks_for_may_be_of_any_kind(tmp_path):
    save_file(
        {"x": torch.ones(1), "buffer": torch.ones(3, dtype=torch.int64)}, tmp_path / WEIGHTS_FILE
    )
    assert SafetensorsReader(tmp_path).shape("x") == (1,)


def tensor(begin, end, shape=(4,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def file_of(folder, header, data=b"\0" * 32, length=None):
    told = header if isinstance(header, bytes) else json.dumps(header).encode()
    start = struct.pack("<Q", len(told) if length is None else length)
    (folder / WEIGHTS_FILE).write_bytes(start + told + data)
    return folder


GOOD = {"a": tensor(0, 16), "b": tensor(16, 32)}
DAMAGED = {
    "offsets that overlap": {"a": tensor(0, 16), "b": tensor(0, 16)},
    "offsets that overlap by a part": {"a": tensor(0, 20, (5,)), "b": tensor(16, 32)},
    "an end beyond the file": {"a": tensor(0, 16), "b": tensor(16, 64, (12,))},
    "a place beyond the file": {"a": tensor(64, 80)},
    "a negative offset": {"a": tensor(-16, 0), "b": tensor(16, 32)},
    "offsets that descend": {"a": tensor(16, 0), "b": tensor(16, 32)},
    "a gap": {"a": tensor(0, 8, (2,)), "b": tensor(16, 32)},
    "a shape of more numbers": {"a": tensor(0, 16, (5,)), "b": tensor(16, 32)},
    "a shape of fewer numbers": {"a": tensor(0, 16, (3,)), "b": tensor(16, 32)},
    "a shape whose product overflows": {"a": tensor(0, 32, (2**33, 2**33))},
    "a shape of huge numbers": {"a": tensor(0, 32, (10**30,))},
    "a negative shape": {"a": tensor(0, 32, (-8,))},
    "half a number": {"a": tensor(0, 32, (8.5,))},
    "a shape that is none": {"a": tensor(0, 32) | {"shape": "8"}},
    "a kind that nobody knows": {"a": tensor(0, 32, (8,), "F33")},
    "a kind that is none": {"a": tensor(0, 32, (8,), None)},
    "one offset": {"a": tensor(0, 32, (8,)) | {"data_offsets": [0]}},
    "no offsets": {"a": {"dtype": "F32", "shape": [8]}},
    "a tensor that is none": {"a": 7},
    "a list": [1, 2],
    "nothing": None,
    "no JSON": b'{"a": ',
    "no text": b"\xff\xfe\x00",
    "depth": b'{"a":' * 5000,
    "another depth": b"[" * 100_000,
}


def test_a_file_by_hand_is_read(tmp_path):
    assert SafetensorsReader(file_of(tmp_path, GOOD)).shape("b") == (4,)


@pytest.mark.parametrize("what", DAMAGED)
def test_a_header_is_refused_that_holds(tmp_path, what):
    with pytest.raises(CheckpointError, match=r"^model\.safetensors is damaged"):
        SafetensorsReader(file_of(tmp_path, DAMAGED[what]))


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 10**9, 500, 0, 3])
def test_a_length_of_the_header_that_is_not_its_own_is_refused(tmp_path, length):
    with pytest.raises(CheckpointError, match=r"^model\.safetensors is damaged"):
        SafetensorsReader(file_of(tmp_path, GOOD, length=length))


def test_a_file_cut_anywhere_is_refused(tmp_path):
    whole = (file_of(tmp_path, GOOD) / WEIGHTS_FILE).read_bytes()
    for length in range(len(whole)):
        (tmp_path / WEIGHTS_FILE).write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"^model\.safetensors is damaged"):
            SafetensorsReader(tmp_path)


def test_a_file_with_more_than_it_tells_of_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"^model\.safetensors is damaged"):
        SafetensorsReader(file_of(tmp_path, GOOD, b"\0" * 33))


@settings(max_examples=150)
@given(flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), max_size=4))
def test_whatever_bytes_of_the_header_change_the_model_is_read_or_refused(
    checkpoint, our_model, flips
):
    """What is read computes what it did before."""
    hidden = forward(our_model("distilbert").transformer, IDS).hidden
    folder = checkpoint("distilbert").parent / "flipped"
    folder.mkdir(exist_ok=True)
    for file in checkpoint("distilbert").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    content = bytearray((folder / WEIGHTS_FILE).read_bytes())
    size = 8 + int.from_bytes(content[:8], "little")
    for place, change in flips:
        content[place % size] ^= change
    (folder / WEIGHTS_FILE).write_bytes(content)
    try:
        model = read_checkpoint(folder)
    except CheckpointError as error:
        assert str(folder) in str(error)
    else:
        assert np.array_equal(forward(model.transformer, IDS).hidden, hidden)


def indexed(folder, index):
    told = index if isinstance(index, bytes) else json.dumps(index).encode()
    (folder / INDEX_FILE).write_bytes(told)
    return folder


@pytest.mark.parametrize(
    "name",
    [
        "../x.safetensors",
        "/etc/x.safetensors",
        "..\\x.safetensors",
        "in/x.safetensors",
        "x.bin",
        "x\0.safetensors",
        "\ud800.safetensors",
        "\x1b[31m.safetensors",
        "x.safetensors\n",
        "x" * 300 + ".safetensors",
        "",
        3,
        None,
    ],
)
def test_an_index_names_nothing_but_files_beside_it(tmp_path, name):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="which is no file beside it"):
        SafetensorsReader(indexed(tmp_path / "in", {"weight_map": {"a": name}}))


INDEXES = {
    "nothing": {},
    "a list": [],
    "files as a list": {"weight_map": []},
    "files of two sorts": {"weight_map": {"a": 1, "b": "x"}},
    "a list for a file": {"weight_map": {"a": ["x"]}},
    "no JSON": b"{",
    "no text": b"\xff\xfe\xff",
    "depth": b"[" * 100_000,
}


@pytest.mark.parametrize("what", INDEXES)
def test_an_index_is_refused_that_holds(tmp_path, what):
    with pytest.raises(CheckpointError, match=r"index\.json cannot be read"):
        SafetensorsReader(indexed(tmp_path, INDEXES[what]))


def test_an_index_of_no_files_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="names no file"):
        SafetensorsReader(indexed(tmp_path, {"weight_map": {}}))


def test_a_shard_that_is_missing_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"two\.safetensors, named by .*, is missing"):
        SafetensorsReader(indexed(tmp_path, {"weight_map": {"a": "two.safetensors"}}))


def test_a_tensor_that_two_shards_hold_is_refused(tmp_path):
    for name in ("one", "two"):
        save_file({"a": torch.ones(2)}, tmp_path / f"{name}.safetensors")
    names = {"a": "one.safetensors", "b": "two.safetensors"}
    with pytest.raises(CheckpointError, match=r"a is in one\.safetensors and in two\.safetensors"):
        SafetensorsReader(indexed(tmp_path, {"weight_map": names}))
