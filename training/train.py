"""Stage 4: train one model to predict masked tokens. An interrupted run is resumed.

    python -m training.train --heads 4 --seed 0 --steps 30000 --tokens-a-step 3072

Batches depend only on the seed and the step, not on the number of heads. So models with the same
seed read the same data in the same order and start from the same random numbers.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from app.models.atomic import atomic_write
from training.masking import EncodedText, MaskedBatch, mask_batch, window_length
from training.model import MaskedLanguageModel, ModelSizes
from training.paths import (
    checkpoint_file,
    run_folder,
    stage_parser,
    starts_file,
    tokenizer_file,
    tokens_file,
)
from training.recipe import Recipe, add_recipe_arguments, recipe_from_arguments
from training.tokenizer import SPECIAL_TOKENS

VALIDATION_SEED = 20_170_612
VALIDATION_WINDOWS = 2_000
CHECKPOINT_EVERY = 500


class Run:
    """A training run: model, optimiser and current step."""

    def __init__(self, recipe: Recipe, build: Path, device: torch.device) -> None:
        self.recipe = recipe
        self.device = device
        self.folder = run_folder(build, recipe.name)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.tokenizer = Tokenizer.from_file(str(tokenizer_file(build)))
        vocabulary = self.tokenizer.get_vocab_size()
        self.mask_id: int = self.tokenizer.token_to_id("[MASK]")
        self.train_text = load_encoded_text(build, "train")
        self.validation_batches = self._make_validation_batches(
            load_encoded_text(build, "valid"), vocabulary
        )
        torch.manual_seed(recipe.seed)
        self.model = MaskedLanguageModel(ModelSizes(recipe.n_heads, vocabulary)).to(device)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=0.0, betas=recipe.betas, weight_decay=recipe.decay
        )
        self.step = 0
        self.log: list[dict[str, float]] = []

    @property
    def checkpoint(self) -> Path:
        return checkpoint_file(self.folder)

    def _mask_batch(
        self, original_ids: np.ndarray, rng: np.random.Generator, vocabulary: int
    ) -> MaskedBatch:
        return mask_batch(
            original_ids,
            rng,
            mask_id=self.mask_id,
            n_special=len(SPECIAL_TOKENS),
            vocabulary=vocabulary,
        )

    def _make_validation_batches(self, text: EncodedText, vocabulary: int) -> list[MaskedBatch]:
        rng = np.random.default_rng(VALIDATION_SEED)
        length = ModelSizes.max_tokens
        return [
            self._mask_batch(text.windows(rng, 100, length), rng, vocabulary)
            for _ in range(VALIDATION_WINDOWS // 100)
        ]

    def batch(self, step: int) -> MaskedBatch:
        rng, count, length = self._batch_shape(step)
        original_ids = self.train_text.windows(rng, count, length)
        return self._mask_batch(original_ids, rng, self.model.sizes.vocabulary)

    def _batch_shape(self, step: int) -> tuple[np.random.Generator, int, int]:
        """Return a step's random generator, number of windows, and length of a window in tokens."""
        rng = np.random.default_rng((self.recipe.seed, step))
        length = window_length(rng, ModelSizes.max_tokens)
        return rng, self.recipe.tokens_a_step // length, length

    def n_tokens_seen(self) -> int:
        """Return the number of tokens in all steps so far, with repetitions."""
        shapes = (self._batch_shape(step) for step in range(self.step))
        return sum(count * length for _, count, length in shapes)

    def target_logits(self, batch: MaskedBatch) -> tuple[Tensor, Tensor]:
        """Return logits (n_masked, vocabulary) and true ids (n_masked,) of the targets."""
        input_ids, original_ids, is_target = (
            torch.from_numpy(array).to(self.device)
            for array in (batch.input_ids, batch.original_ids, batch.is_target)
        )
        return self.model(input_ids, is_target).float(), original_ids[is_target]

    def take_step(self) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate(self.step)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            loss = F.cross_entropy(*self.target_logits(self.batch(self.step)))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self.optimiser.step()
        self.step += 1
        return loss.item()

    @torch.no_grad()
    def validate(self, batches: Sequence[MaskedBatch] | None = None) -> tuple[float, float]:
        """Return loss and accuracy in float32, by default on the validation windows."""
        loss, n_correct, n_masked = 0.0, 0, 0
        for batch in self.validation_batches if batches is None else batches:
            logits, target_ids = self.target_logits(batch)
            loss += F.cross_entropy(logits, target_ids, reduction="sum").item()
            n_correct += int((logits.argmax(-1) == target_ids).sum())
            n_masked += len(target_ids)
        return loss / n_masked, n_correct / n_masked

    def save(self) -> None:
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for name, parameter in self.model.named_parameters():
            for moment, tensor in self.optimiser.state[parameter].items():
                tensors[f"{moment}.{name}"] = tensor
        metadata = {
            "step": str(self.step),
            "recipe": json.dumps(asdict(self.recipe)),
            "log": json.dumps(self.log),
        }
        with atomic_write(self.checkpoint) as partial:
            save_file(
                {name: tensor.contiguous() for name, tensor in tensors.items()}, partial, metadata
            )

    def resume(self) -> None:
        """Load the checkpoint if there is one. Exits if it belongs to another recipe."""
        if not self.checkpoint.exists():
            return
        with safe_open(self.checkpoint, "pt", device=str(self.device)) as saved:
            metadata = saved.metadata()
            if json.loads(metadata["recipe"]) != json.loads(json.dumps(asdict(self.recipe))):
                raise SystemExit(
                    f"{self.checkpoint} belongs to another recipe; move it to start a new run"
                )
            names = saved.keys()
            self.model.load_state_dict(
                {
                    name.removeprefix("model."): saved.get_tensor(name)
                    for name in names
                    if name.startswith("model.")
                }
            )
            for name, parameter in self.model.named_parameters():
                self.optimiser.state[parameter] = {
                    moment: saved.get_tensor(f"{moment}.{name}").cpu()
                    if moment == "step"
                    else saved.get_tensor(f"{moment}.{name}")
                    for moment in ("step", "exp_avg", "exp_avg_sq")
                }
        self.step = int(metadata["step"])
        self.log = json.loads(metadata["log"])
        print(f"resumed at step {self.step:,}", flush=True)

    def train(self) -> None:
        """Train to the last step. Validates and saves every `CHECKPOINT_EVERY` steps."""
        losses: list[float] = []
        start_time, start_step = time.monotonic(), self.step
        while self.step < self.recipe.steps:
            losses.append(self.take_step())
            if self.step % CHECKPOINT_EVERY and self.step != self.recipe.steps:
                continue
            loss, accuracy = self.validate()
            seconds_per_step = (time.monotonic() - start_time) / (self.step - start_step)
            self.log.append(
                {
                    "step": self.step,
                    "train_loss": round(float(np.mean(losses)), 4),
                    "validation_loss": round(loss, 4),
                    "validation_accuracy": round(accuracy, 4),
                }
            )
            losses.clear()
            self.save()
            minutes_left = seconds_per_step * (self.recipe.steps - self.step) / 60
            print(
                json.dumps(self.log[-1]),
                f"{seconds_per_step:.3f} s a step, {minutes_left:.0f} min left",
                flush=True,
            )


def load_encoded_text(build: Path, split: str) -> EncodedText:
    return EncodedText(
        np.load(tokens_file(build, split), mmap_mode="r", allow_pickle=False),
        np.load(starts_file(build, split), allow_pickle=False),
    )


def parse_arguments() -> argparse.Namespace:
    parser = stage_parser(__doc__)
    add_recipe_arguments(parser)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run = Run(recipe_from_arguments(arguments), arguments.build, device)
    run.resume()
    run.train()


if __name__ == "__main__":
    main()
