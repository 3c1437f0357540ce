"""Stage 5: export a finished run as a shipped model: float16 weights and a card.

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
from training.recipe import Recipe, add_recipe_arguments, recipe_from_arguments, validation_points
from training.sample import sample_batches
from training.train import Run

DATA = (
    "355 public-domain books in English (28.0 million words) from the public repository "
    "classic-books-markdown by mlschmitt; 14 further books (1.0 million words) for validation"
)


def tensor_sources(n_layers: int) -> dict[str, str]:
    """Return the torch name of each shipped tensor; ".T" transposes (out, in) to (in, out)."""
    names = {
        "tokens": "tokens.weight",
        "positions": "positions.weight",
        "norm.gain": "norm.weight",
        "norm.bias": "norm.bias",
        "logits_bias": "logits_bias",
    }
    for layer in range(n_layers):
        prefix = f"layers.{layer}"
        for norm in ("attention_norm", "ffn_norm"):
            names[f"{prefix}.{norm}.gain"] = f"{prefix}.{norm}.weight"
            names[f"{prefix}.{norm}.bias"] = f"{prefix}.{norm}.bias"
        for linear in ("attention.qkv", "attention.output", "ffn_hidden", "ffn_output"):
            names[f"{prefix}.{linear}.weight"] = f"{prefix}.{linear}.weight.T"
            names[f"{prefix}.{linear}.bias"] = f"{prefix}.{linear}.bias"
    return names


def export_tensors(state: dict[str, torch.Tensor], n_layers: int) -> dict[str, np.ndarray]:
    """Return the weights in float16, as the shipped files store them."""
    tensors = {}
    for name, source in tensor_sources(n_layers).items():
        tensor = state[source.removesuffix(".T")].detach().cpu().numpy()
        if source.endswith(".T"):
            tensor = tensor.T
        tensors[name] = np.ascontiguousarray(tensor, dtype=np.float16)
    return tensors


def load_finished_run(folder: Path, build: Path) -> Run:
    """Return the finished run in a folder, its weights rounded to the float16 that is shipped."""
    checkpoint = checkpoint_file(folder)
    with safe_open(checkpoint, "pt") as saved:
        recipe = json.loads(saved.metadata()["recipe"])
    run = Run(Recipe(**recipe | {"betas": tuple(recipe["betas"])}), build, torch.device("cpu"))
    run.resume()
    if run.step < run.recipe.steps:
        raise SystemExit(
            f"{checkpoint} is at step {run.step} of {run.recipe.steps}; finish the training first"
        )
    run.model.half().float()
    return run


def training_record(run: Run) -> Training:
    """Return the training section of the card. Losses are those of the float16 weights."""
    recipe = run.recipe
    loss, accuracy = run.validate()
    sample_loss, _ = run.validate(list(sample_batches(run.tokenizer)))
    return Training(
        data=DATA,
        task="guess masked words: 15 % of the tokens, 80 % shown as [MASK]",
        seed=recipe.seed,
        steps=recipe.steps,
        tokens=run.n_tokens_seen(),
        command=recipe.command,
        validation_loss=round(loss, 4),
        validation_accuracy=round(accuracy, 4),
        sample_loss=round(sample_loss, 4),
        curve=validation_points(run.log),
    )


def model_card(run: Run) -> Card:
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
        training=training_record(run),
    )


def main() -> None:
    parser = stage_parser(__doc__)
    add_recipe_arguments(parser)
    parser.add_argument(
        "--models", type=Path, default=BUILTIN_FOLDER, help="folder of the shipped models"
    )
    arguments = parser.parse_args()
    shipped_tokenizer = shipped_tokenizer_file(arguments.models)
    tokenizer_bytes = tokenizer_file(arguments.build).read_bytes()
    if shipped_tokenizer.exists() and shipped_tokenizer.read_bytes() != tokenizer_bytes:
        raise SystemExit(
            f"{shipped_tokenizer} differs, and the other models need it; remove it to replace it"
        )
    folder = run_folder(arguments.build, recipe_from_arguments(arguments).name)
    run = load_finished_run(folder, arguments.build)
    run_card = model_card(run)
    with atomic_write(weights_file(arguments.models, run_card.id)) as partial:
        tensors = export_tensors(run.model.state_dict(), run_card.n_layers)
        # With several metadata entries, safetensors would write them in a random order.
        save_file(tensors, partial, {"format": "headwise-1"})
    with atomic_write(card_file(arguments.models, run_card.id)) as partial:
        partial.write_text(run_card.model_dump_json(indent=2) + "\n", encoding="utf-8")
    # Evidence measured on older weights is not valid for these.
    evidence_file(arguments.models / run_card.id).unlink(missing_ok=True)
    if not shipped_tokenizer.exists():
        with atomic_write(shipped_tokenizer) as partial:
            partial.write_bytes(tokenizer_bytes)
    print(run_card.model_dump_json(include={"id": True, "training": {"validation_loss"}}))


if __name__ == "__main__":
    main()
