"""Stage 5: a finished run becomes what Headwise ships: float16 weights and a model card.

python -m training.export --heads 4 --seed 0
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

from app.evaluation.report import evidence_file
from app.models.atomic import atomic_write
from app.models.builtin import BUILTIN_FOLDER, card_file, weights_file
from app.models.builtin import tokenizer_file as shipped_tokenizer_file
from app.models.card import Card, Training
from training.paths import (
    checkpoint_file,
    run_folder,
    stage_parser,
    tokenizer_file,
)
from training.recipe import Recipe, add_recipe, recipe_of, validation_points
from training.sample import sample_batches
from training.train import Run

DATA = (
    "355 public-domain books in English (28.0 million words) from the public repository "
    "classic-books-markdown by mlschmitt; 14 further books (1.0 million words) for validation"
)


def shipped_names(n_layers: int) -> dict[str, str]:
    """Where each shipped tensor comes from; a trailing `.T` turns (out, in) into (in, out)."""
    names = {
        "tokens": "tokens.weight",
        "positions": "positions.weight",
        "norm.gain": "norm.weight",
        "norm.bias": "norm.bias",
        "logits_bias": "logits_bias",
    }
    for layer in range(n_layers):
        here = f"layers.{layer}"
        for norm in ("attention_norm", "ffn_norm"):
            names[f"{here}.{norm}.gain"] = f"{here}.{norm}.weight"
            names[f"{here}.{norm}.bias"] = f"{here}.{norm}.bias"
        for linear in ("attention.qkv", "attention.output", "ffn_hidden", "ffn_output"):
            names[f"{here}.{linear}.weight"] = f"{here}.{linear}.weight.T"
            names[f"{here}.{linear}.bias"] = f"{here}.{linear}.bias"
    return names


def shipped_tensors(state: dict[str, torch.Tensor], n_layers: int) -> dict[str, np.ndarray]:
    """The weights as the NumPy core reads them, in float16."""
    tensors = {}
    for name, source in shipped_names(n_layers).items():
        tensor = state[source.removesuffix(".T")].detach().cpu().numpy()
        if source.endswith(".T"):
            tensor = tensor.T
        tensors[name] = np.ascontiguousarray(tensor, dtype=np.float16)
    return tensors


def finished_run(folder: Path, build: Path) -> Run:
    """The run of a folder at its last step, with the float16 weights that are shipped."""
    checkpoint = checkpoint_file(folder)
    with safe_open(checkpoint, "pt") as saved:
        recipe = json.loads(saved.metadata()["recipe"])
    run = Run(Recipe(**recipe | {"betas": tuple(recipe["betas"])}), build, torch.device("cpu"))
    run.resume()
    if run.step < run.recipe.steps:
        raise SystemExit(
            f"{checkpoint} is at step {run.step} of {run.recipe.steps}: train on first"
        )
    run.model.half().float()
    return run


def training(run: Run) -> Training:
    """How the run went, with the losses of its float16 weights."""
    recipe = run.recipe
    loss, accuracy = run.validate()
    sample_loss, _ = run.validate(list(sample_batches(run.tokenizer)))
    return Training(
        data=DATA,
        task="guess masked words: 15 % of the tokens, 80 % shown as [MASK]",
        seed=recipe.seed,
        steps=recipe.steps,
        tokens=run.tokens_read(),
        command=recipe.command,
        validation_loss=round(loss, 4),
        validation_accuracy=round(accuracy, 4),
        sample_loss=round(sample_loss, 4),
        curve=validation_points(run.log),
    )


def card(run: Run) -> Card:
    sizes = run.model.sizes
    return Card(
        id=f"headwise-h{sizes.n_heads}",
        n_layers=sizes.n_layers,
        n_heads=sizes.n_heads,
        d_model=sizes.d_model,
        d_head=sizes.d_model // sizes.n_heads,
        d_hidden=sizes.d_hidden,
        max_tokens=sizes.max_tokens,
        vocabulary=sizes.vocabulary,
        parameters=sum(parameter.numel() for parameter in run.model.parameters()),
        training=training(run),
    )


def main() -> None:
    parser = stage_parser(__doc__)
    add_recipe(parser)
    parser.add_argument(
        "--family", type=Path, default=BUILTIN_FOLDER, help="folder of the shipped models"
    )
    arguments = parser.parse_args()
    shared = shipped_tokenizer_file(arguments.family)
    tokenizer = tokenizer_file(arguments.build).read_bytes()
    if shared.exists() and shared.read_bytes() != tokenizer:
        raise SystemExit(f"{shared} is another tokenizer, which the other models need; remove it")
    folder = run_folder(arguments.build, recipe_of(arguments).name)
    run = finished_run(folder, arguments.build)
    filled = card(run)
    with atomic_write(weights_file(arguments.family, filled.id)) as partial:
        tensors = shipped_tensors(run.model.state_dict(), filled.n_layers)
        # One note only: of several, safetensors would shuffle the order from run to run.
        save_file(tensors, partial, {"format": "headwise-1"})
    with atomic_write(card_file(arguments.family, filled.id)) as partial:
        partial.write_text(filled.model_dump_json(indent=2) + "\n", encoding="utf-8")
    # What was measured of other weights says nothing of these.
    evidence_file(arguments.family / filled.id).unlink(missing_ok=True)
    if not shared.exists():
        with atomic_write(shared) as partial:
            partial.write_bytes(tokenizer)
    print(filled.model_dump_json(include={"id": True, "training": {"validation_loss"}}))


if __name__ == "__main__":
    main()
