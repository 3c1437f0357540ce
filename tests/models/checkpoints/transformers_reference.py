"""Outputs of a checkpoint in transformers, as reference."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
import transformers
from transformers.models.llama import modeling_llama
from transformers.utils import logging

from app.attention.weights import Matrix
from tests.models.checkpoints.tiny_checkpoints import KINDS


@dataclass(frozen=True)
class ReferenceOutputs:
    """Outputs of a model for one sentence."""

    weights: tuple[Matrix, ...]  # per layer (n_heads, n, n)
    hidden: Matrix  # (n, d_model)
    logits: Matrix | None  # (n, vocabulary)


def load_reference(
    folder: Path, kind: str, dtype: torch.dtype = torch.float32
) -> transformers.PreTrainedModel:
    """Load a checkpoint with transformers, its weights converted to `dtype`."""
    logging.disable_progress_bar()
    model_class = getattr(transformers, KINDS[kind].model_class)
    return model_class.from_pretrained(folder, attn_implementation="eager", dtype=dtype).eval()


def reference_outputs(model: transformers.PreTrainedModel, ids: Sequence[int]) -> ReferenceOutputs:
    """Return the outputs of transformers for a sentence, in float64 if the weights are."""
    is_float64 = model.dtype == torch.float64
    with torch.no_grad(), all_in_float64() if is_float64 else nullcontext():
        outputs = model(torch.tensor([ids]), output_attentions=True, output_hidden_states=True)
    logits = getattr(outputs, "logits", None)
    return ReferenceOutputs(
        tuple(weights[0].numpy() for weights in outputs.attentions),
        outputs.hidden_states[-1][0].numpy(),
        None if logits is None else logits[0].numpy(),
    )


@contextmanager
def all_in_float64() -> Iterator[None]:
    """Replace the parts of transformers that compute in float32 whatever the dtype of the model."""

    def rotary_forward(self, x, position_ids):
        d_head = 2 * len(self.inv_freq)
        base = self.config.rope_parameters["rope_theta"]
        speeds = base ** (-torch.arange(0, d_head, 2, dtype=torch.float64) / d_head)
        angles = position_ids[0].to(torch.float64)[:, None] * speeds
        both = torch.cat([angles, angles], -1)[None]
        return both.cos(), both.sin()

    def rms_norm_forward(self, x):
        return self.weight * x * torch.rsqrt(x.square().mean(-1, True) + self.variance_epsilon)

    def softmax(x, dim, dtype=None):
        return torch.softmax(x, dim)

    with (
        patch.object(modeling_llama.LlamaRotaryEmbedding, "forward", rotary_forward),
        patch.object(modeling_llama.LlamaRMSNorm, "forward", rms_norm_forward),
        patch.object(torch.nn.functional, "softmax", softmax),
    ):
        yield


def max_error(actual: Matrix, expected: Matrix) -> float:
    """Return the largest absolute difference."""
    return float(np.abs(actual.astype(np.float64) - expected).max())
