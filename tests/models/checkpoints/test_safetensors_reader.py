import json
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from app.attention import forward
from app.models.checkpoints import CheckpointError, read_checkpoint
from app.models.checkpoints.safetensors_reader import (
    INDEX_FILE,
    WEIGHTS_FILE,
    SafetensorsReader,
    weight_files,
)

F32, F16, BF16 = torch.float32, torch.float16, torch.bfloat16
IDS = [5, 9, 2, 40, 7, 7, 3]


def open_reader(folder):
    return SafetensorsReader(weight_files(folder))


def single_tensor(folder, tensor, name="x"):
    """Write a file with one tensor, and return a reader of it."""
    save_file({name: tensor}, folder / WEIGHTS_FILE)
    return open_reader(folder)


# All values of two bytes.
ALL_HALF_PRECISION_BITS = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16)


@pytest.mark.parametrize("dtype", [F16, BF16], ids=str)
def test_widening_two_bytes_is_exact_to_the_bit(tmp_path, dtype):
    all_values = ALL_HALF_PRECISION_BITS.view(dtype)
    all_values = all_values[all_values.isfinite()]
    target = np.empty(len(all_values), np.float32)
    single_tensor(tmp_path, all_values).read_into("x", target)
    assert np.array_equal(target.view(np.uint32), all_values.to(F32).numpy().view(np.uint32))


@pytest.mark.parametrize("dtype", [F32, F16, BF16], ids=str)
def test_a_matrix_can_be_transposed_while_reading(tmp_path, dtype):
    matrix = torch.arange(6).reshape(2, 3).to(dtype)
    target = np.zeros((3, 5), np.float32)
    single_tensor(tmp_path, matrix).read_into("x", target[:, 1:3], transposed=True)
    assert target[:, 1:3].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert not target[:, [0, 3, 4]].any()


@pytest.mark.parametrize("wrong", [torch.inf, -torch.inf, torch.nan])
@pytest.mark.parametrize("dtype", [F32, F16, BF16], ids=str)
def test_infinity_and_nan_are_refused(tmp_path, wrong, dtype):
    numbers = torch.ones(4, dtype=dtype)
    numbers[2] = wrong
    with pytest.raises(CheckpointError, match="x contains infinity or NaN"):
        single_tensor(tmp_path, numbers).read_into("x", np.empty(4, np.float32))


@pytest.mark.parametrize("dtype", [torch.int8, torch.float64, torch.int64, torch.bool], ids=str)
def test_an_unsupported_dtype_is_refused_with_the_supported_ones(tmp_path, dtype):
    tensors = single_tensor(tmp_path, torch.ones(4, dtype=dtype))
    with pytest.raises(CheckpointError, match="supported are F32, F16, BF16"):
        tensors.read_into("x", np.empty(4, np.float32))


def test_unused_tensors_may_have_any_dtype(tmp_path):
    save_file(
        {"x": torch.ones(1), "buffer": torch.ones(3, dtype=torch.int64)}, tmp_path / WEIGHTS_FILE
    )
    assert open_reader(tmp_path).shape("x") == (1,)


def tensor_entry(begin, end, shape=(4,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def write_safetensors(folder, header, data=b"\0" * 32, length=None):
    header_bytes = header if isinstance(header, bytes) else json.dumps(header).encode()
    start = struct.pack("<Q", len(header_bytes) if length is None else length)
    (folder / WEIGHTS_FILE).write_bytes(start + header_bytes + data)
    return folder


VALID_HEADER = {"a": tensor_entry(0, 16), "b": tensor_entry(16, 32)}
DAMAGED_HEADERS = {
    "offsets that overlap": {"a": tensor_entry(0, 16), "b": tensor_entry(0, 16)},
    "offsets that overlap by a part": {"a": tensor_entry(0, 20, (5,)), "b": tensor_entry(16, 32)},
    "an end beyond the file": {"a": tensor_entry(0, 16), "b": tensor_entry(16, 64, (12,))},
    "a position beyond the file": {"a": tensor_entry(64, 80)},
    "a negative offset": {"a": tensor_entry(-16, 0), "b": tensor_entry(16, 32)},
    "offsets that descend": {"a": tensor_entry(16, 0), "b": tensor_entry(16, 32)},
    "a gap": {"a": tensor_entry(0, 8, (2,)), "b": tensor_entry(16, 32)},
    "a shape of more numbers": {"a": tensor_entry(0, 16, (5,)), "b": tensor_entry(16, 32)},
    "a shape of fewer numbers": {"a": tensor_entry(0, 16, (3,)), "b": tensor_entry(16, 32)},
    "a shape whose product overflows": {"a": tensor_entry(0, 32, (2**33, 2**33))},
    "a shape of huge numbers": {"a": tensor_entry(0, 32, (10**30,))},
    "a negative shape": {"a": tensor_entry(0, 32, (-8,))},
    "half a number": {"a": tensor_entry(0, 32, (8.5,))},
    "a shape that is none": {"a": tensor_entry(0, 32) | {"shape": "8"}},
    "an unknown dtype": {"a": tensor_entry(0, 32, (8,), "F33")},
    "no dtype": {"a": tensor_entry(0, 32, (8,), None)},
    "one offset": {"a": tensor_entry(0, 32, (8,)) | {"data_offsets": [0]}},
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
    assert open_reader(write_safetensors(tmp_path, VALID_HEADER)).shape("b") == (4,)


@pytest.mark.parametrize("what", DAMAGED_HEADERS)
def test_a_damaged_header_is_refused(tmp_path, what):
    with pytest.raises(CheckpointError, match=r"^model\.safetensors is damaged"):
        open_reader(write_safetensors(tmp_path, DAMAGED_HEADERS[what]))


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 10**9, 500, 0, 3])
def test_a_wrong_header_length_is_refused(tmp_path, length):
    with pytest.raises(CheckpointError, match=r"^model\.safetensors is damaged"):
        open_reader(write_safetensors(tmp_path, VALID_HEADER, length=length))


def test_a_file_cut_anywhere_is_refused(tmp_path):
    content = (write_safetensors(tmp_path, VALID_HEADER) / WEIGHTS_FILE).read_bytes()
    for length in range(len(content)):
        (tmp_path / WEIGHTS_FILE).write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r"^model\.safetensors is damaged"):
            open_reader(tmp_path)


def test_a_file_with_trailing_bytes_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"^model\.safetensors is damaged"):
        open_reader(write_safetensors(tmp_path, VALID_HEADER, b"\0" * 33))


@settings(max_examples=150)
@given(flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), max_size=4))
def test_whatever_bytes_of_the_header_change_the_model_is_read_or_refused(
    checkpoint_folder, headwise_model, flips
):
    """A model that is read computes the same hidden states."""
    hidden = forward(headwise_model("distilbert").transformer, IDS).hidden
    folder = checkpoint_folder("distilbert").parent / "flipped"
    folder.mkdir(exist_ok=True)
    for file in checkpoint_folder("distilbert").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    content = bytearray((folder / WEIGHTS_FILE).read_bytes())
    size = 8 + int.from_bytes(content[:8], "little")
    for position, change in flips:
        content[position % size] ^= change
    (folder / WEIGHTS_FILE).write_bytes(content)
    try:
        model = read_checkpoint(folder)
    except CheckpointError as error:
        assert str(folder) in str(error)
    else:
        assert np.array_equal(forward(model.transformer, IDS).hidden, hidden)


def write_index(folder, index):
    index_bytes = index if isinstance(index, bytes) else json.dumps(index).encode()
    (folder / INDEX_FILE).write_bytes(index_bytes)
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
def test_an_index_may_only_name_files_in_its_folder(tmp_path, name):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="which is not a safetensors file in its folder"):
        open_reader(write_index(tmp_path / "in", {"weight_map": {"a": name}}))


DAMAGED_INDEXES = {
    "nothing": {},
    "a list": [],
    "files as a list": {"weight_map": []},
    "files of two sorts": {"weight_map": {"a": 1, "b": "x"}},
    "a list for a file": {"weight_map": {"a": ["x"]}},
    "no JSON": b"{",
    "no text": b"\xff\xfe\xff",
    "depth": b"[" * 100_000,
}


@pytest.mark.parametrize("what", DAMAGED_INDEXES)
def test_a_damaged_index_is_refused(tmp_path, what):
    with pytest.raises(CheckpointError, match=r"index\.json cannot be read"):
        open_reader(write_index(tmp_path, DAMAGED_INDEXES[what]))


def test_an_index_of_no_files_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="lists no files"):
        open_reader(write_index(tmp_path, {"weight_map": {}}))


def test_a_shard_that_is_missing_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"two\.safetensors, listed in .*, is missing"):
        open_reader(write_index(tmp_path, {"weight_map": {"a": "two.safetensors"}}))


def test_a_tensor_that_two_shards_hold_is_refused(tmp_path):
    for name in ("one", "two"):
        save_file({"a": torch.ones(2)}, tmp_path / f"{name}.safetensors")
    names = {"a": "one.safetensors", "b": "two.safetensors"}
    with pytest.raises(CheckpointError, match=r"a is in one\.safetensors and in two\.safetensors"):
        open_reader(write_index(tmp_path, {"weight_map": names}))
