import json

import numpy as np
from safetensors.numpy import save_file

from training.paths import checkpoint_file, run_folder
from training.recipe import Recipe
from training.seeds import finished_runs


def write_checkpoint(build, n_heads, seed, step, loss=4.0):
    recipe = Recipe(n_heads, seed, steps=20, tokens_a_step=48)
    file = checkpoint_file(run_folder(build, recipe.name))
    file.parent.mkdir(parents=True)
    log = [{"step": step, "train_loss": 1, "validation_loss": loss, "validation_accuracy": 0.2}]
    notes = {
        "step": str(step),
        "recipe": json.dumps({"n_heads": n_heads, "seed": seed}),
        "log": json.dumps(log),
    }
    save_file({"x": np.zeros(1)}, file, notes)


def test_only_finished_runs_count_and_each_says_where_it_ended(tmp_path, capsys):
    write_checkpoint(tmp_path, 4, 1, 20, loss=3.5)
    write_checkpoint(tmp_path, 1, 0, 20, loss=4.5)
    write_checkpoint(tmp_path, 4, 0, 10)
    runs = finished_runs(tmp_path, 20, 48)
    assert [(run.n_heads, run.seed, run.validation_loss) for run in runs] == [
        (1, 0, 4.5),
        (4, 1, 3.5),
    ]
    assert "h4-seed0-20x48, which is at step 10 of 20" in capsys.readouterr().out


def test_runs_of_another_length_are_another_record(tmp_path):
    write_checkpoint(tmp_path, 4, 1, 20)
    assert finished_runs(tmp_path, 30_000, 3_072) == []
