"""An exact experiment: one attention layer has to predict both neighbours of every token.

    python -m training.two_neighbours

Queries and keys depend only on the position, values only on the symbol. So the output of one head
is a fixed mixture of the values of its neighbours: say a times the left and b times the right.
Claim: no matrix can predict both neighbours from it, whatever a, b and the matrix M of the logits
for the right neighbour. Suppose that the right neighbour always has the largest logit. With
neighbours (l, r), and with (r, l):

    b M[r,r] + a M[r,l] > b M[l,r] + a M[l,l]    and    b M[l,l] + a M[l,r] > b M[r,l] + a M[r,r]

Their sum is (a - b) (M[r,l] + M[l,r] - M[l,l] - M[r,r]) > 0. With the same neighbour x on both
sides, M[x,x] > M[s,x] for every other s, so the second factor is negative: b > a. In the same way,
a left neighbour that always has the largest logit gives a > b. Both cannot be true. (Constants
cancel in every sum.)

Two heads give two mixtures, and a network with a hidden layer can separate one mixture. The results
for 1, 2 and 4 heads with both read-outs are written to one small file.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from app.evaluation.two_neighbour_task import RECORD_FILE, Outcome, ReadOut, TwoNeighbours
from app.models.atomic import atomic_write

SYMBOLS = 8
LENGTH = 10
D_MODEL = 16
D_HIDDEN = 64
BATCH = 256
STEPS = 1_000
LEARNING_RATE = 1e-2
SEEDS = (0, 1, 2)
HEADS = (1, 2, 4)
READ_OUTS: tuple[ReadOut, ...] = ("linear", "mlp")
TEST_SEED = 99
TEST_ROWS = 2_000


class OneLayer(nn.Module):
    """One attention layer and a read-out. Queries and keys use positions, values use symbols."""

    def __init__(self, n_heads: int, read_out: ReadOut) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.symbols = nn.Embedding(SYMBOLS, D_MODEL)
        self.positions = nn.Embedding(LENGTH, D_MODEL)
        self.query_key = nn.Linear(D_MODEL, 2 * D_MODEL)
        self.value = nn.Linear(D_MODEL, D_MODEL)
        self.output = nn.Linear(D_MODEL, D_MODEL)
        self.read_out = (
            nn.Linear(D_MODEL, 2 * SYMBOLS)
            if read_out == "linear"
            else nn.Sequential(
                nn.Linear(D_MODEL, D_HIDDEN), nn.ReLU(), nn.Linear(D_HIDDEN, 2 * SYMBOLS)
            )
        )

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (batch, n, 2, SYMBOLS) for left and right, and weights (n_heads, n, n)."""
        batch, n = ids.shape
        d_head = D_MODEL // self.n_heads
        query_key = self.query_key(self.positions.weight).view(n, 2, self.n_heads, d_head)
        query, key = query_key.permute(1, 2, 0, 3)  # each (n_heads, n, d_head)
        weights = (query @ key.transpose(-1, -2) / math.sqrt(d_head)).softmax(-1)
        value = self.value(self.symbols(ids)).view(batch, n, self.n_heads, d_head).transpose(1, 2)
        merged = (weights @ value).transpose(1, 2).reshape(batch, n, D_MODEL)
        return self.read_out(self.output(merged)).view(batch, n, 2, SYMBOLS), weights


def neighbours(ids: Tensor) -> Tensor:
    """Return the left and right neighbour of every token that has both.

    (batch, n) -> (batch, n - 2, 2)
    """
    return torch.stack([ids[:, :-2], ids[:, 2:]], dim=-1)


def train_model(n_heads: int, read_out: ReadOut, seed: int) -> OneLayer:
    torch.manual_seed(seed)
    model = OneLayer(n_heads, read_out)
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        ids = torch.randint(SYMBOLS, (BATCH, LENGTH))
        logits, _ = model(ids)
        loss = F.cross_entropy(logits[:, 1:-1].flatten(0, 2), neighbours(ids).flatten())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return model


@torch.no_grad()
def evaluate_model(model: OneLayer, read_out: ReadOut, seed: int) -> Outcome:
    """Return the shares of correct predictions on new random rows, and the weights."""
    rng = np.random.default_rng(TEST_SEED)
    ids = torch.from_numpy(rng.integers(0, SYMBOLS, (TEST_ROWS, LENGTH)))
    logits, weights = model(ids)
    is_correct = logits[:, 1:-1].argmax(-1) == neighbours(ids)  # (batch, n - 2, 2)
    return Outcome(
        n_heads=model.n_heads,
        read_out=read_out,
        seed=seed,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        left=round(is_correct[..., 0].float().mean().item(), 4),
        right=round(is_correct[..., 1].float().mean().item(), 4),
        both=round(is_correct.all(-1).float().mean().item(), 4),
        weights=np.round(weights.double().numpy(), 4).tolist(),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", type=Path, default=RECORD_FILE, help="file for the results")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    outcomes = []
    for read_out in READ_OUTS:
        for n_heads in HEADS:
            for seed in SEEDS:
                result = evaluate_model(train_model(n_heads, read_out, seed), read_out, seed)
                print(result.model_dump(exclude={"weights"}), flush=True)
                outcomes.append(result)
    record = TwoNeighbours(
        symbols=SYMBOLS,
        length=LENGTH,
        d_model=D_MODEL,
        steps=STEPS,
        test_rows=TEST_ROWS,
        command="python -m training.two_neighbours",
        outcomes=outcomes,
    )
    with atomic_write(arguments.record) as partial:
        partial.write_text(record.model_dump_json() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
