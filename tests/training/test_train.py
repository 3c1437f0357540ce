import lzma

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from app.attention import forward
from app.attention.array_tree import map_arrays
from app.models import Card
from app.models.builtin import BUILTIN_FOLDER, read_weights, tokenizer_file, weights_file
from training import encode, train
from training.corpus import write_sentences
from training.export import export_tensors, load_finished_run, model_card
from training.model import MaskedLanguageModel, ModelSizes
from training.paths import SPLITS, run_folder, sentences_file
from training.paths import tokenizer_file as built_tokenizer_file
from training.recipe import Recipe
from training.train import Run

RECIPE = Recipe(n_heads=2, seed=3, steps=6, tokens_a_step=96, warm_up=2)
CPU = torch.device("cpu")


@pytest.fixture
def build(tmp_path, monkeypatch):
    """A build folder after the stages corpus, tokenizer and encode, of a very small library."""
    monkeypatch.setattr(train, "CHECKPOINT_EVERY", 2)
    monkeypatch.setattr(train, "VALIDATION_WINDOWS", 100)
    tokenizer = Tokenizer.from_file(str(tokenizer_file(BUILTIN_FOLDER)))
    tokenizer.save(str(built_tokenizer_file(tmp_path)))
    for split in SPLITS:
        with lzma.open(tmp_path / "books.xz", "wt") as books:
            books.write("The cat sat down. Mr. Fox saw it.\nBirds sing at dawn!\n" * 60)
        with lzma.open(tmp_path / "books.xz", "rt") as books:
            assert write_sentences(books, sentences_file(tmp_path, split)) == 180
        n_tokens, n_sentences = encode.encode_split(tokenizer, tmp_path, split)
        assert (n_tokens, n_sentences) == (960, 180)
    return tmp_path


def model_weights(run):
    return {name: tensor.clone() for name, tensor in run.model.state_dict().items()}


def test_an_interrupted_run_ends_as_an_uninterrupted_one(build, monkeypatch):
    uninterrupted = Run(RECIPE, build, CPU)
    uninterrupted.train()
    uninterrupted.checkpoint.unlink()

    killed = Run(RECIPE, build, CPU)
    take_step = Run.take_step

    def dies_at_5(run):
        if run.step == 5:
            raise KeyboardInterrupt
        return take_step(run)

    monkeypatch.setattr(Run, "take_step", dies_at_5)
    with pytest.raises(KeyboardInterrupt):
        killed.train()
    monkeypatch.setattr(Run, "take_step", take_step)

    resumed = Run(RECIPE, build, CPU)
    resumed.resume()
    assert resumed.step == 4
    resumed.train()
    assert all(
        torch.equal(model_weights(uninterrupted)[name], t)
        for name, t in model_weights(resumed).items()
    )
    assert [point["step"] for point in resumed.log] == [2, 4, 6]


def test_a_checkpoint_of_another_recipe_is_refused(build):
    Run(RECIPE, build, CPU).save()
    warmer = Recipe(**{**vars(RECIPE), "warm_up": 3})
    with pytest.raises(SystemExit, match="belongs to another recipe"):
        Run(warmer, build, CPU).resume()


def test_every_number_of_heads_sees_the_same_data_and_starts_from_the_same_numbers(build):
    one_head, eight_heads = (Run(Recipe(h, 3, 6, 6_144), build, CPU) for h in (1, 8))
    assert all(
        torch.equal(model_weights(one_head)[name], t)
        for name, t in model_weights(eight_heads).items()
    )
    for step in range(3):
        assert np.array_equal(one_head.batch(step).input_ids, eight_heads.batch(step).input_ids)


def test_training_lowers_the_loss(build):
    run = Run(Recipe(n_heads=2, seed=0, steps=40, tokens_a_step=192, warm_up=5), build, CPU)
    before, _ = run.validate()
    run.train()
    after, _ = run.validate()
    assert after < before - 1


def test_an_unfinished_run_is_not_exported(build):
    run = Run(RECIPE, build, CPU)
    run.take_step()
    run.save()
    with pytest.raises(SystemExit, match="at step 1 of 6"):
        load_finished_run(run_folder(build, RECIPE.name), build)


def test_a_card_describes_its_run(build):
    Run(RECIPE, build, CPU).train()
    run = load_finished_run(run_folder(build, RECIPE.name), build)
    exported_card = model_card(run)
    assert exported_card.id == "headwise-h2"
    assert exported_card.training.command == (
        "python -m training.train --heads 2 --seed 3 --steps 6 --tokens-a-step 96"
    )
    assert exported_card.training.sample_loss > 5
    assert exported_card.training.tokens == sum(
        run.batch(step).original_ids.size for step in range(6)
    )
    assert exported_card.training.validation_loss == pytest.approx(run.validate()[0], abs=1e-4)


@pytest.mark.parametrize("n_heads", [1, 2, 4, 8])
def test_numpy_agrees_with_the_trained_torch_model(n_heads, tmp_path):
    """The exported file is read as a shipped model is, then computed in float64 as torch does."""
    torch.manual_seed(n_heads)
    model = MaskedLanguageModel(ModelSizes(n_heads, 200)).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_((parameter * 5).half().double())
    sizes = model.sizes.as_dict()
    card = Card(id="exported", parameters=0, d_head=sizes["d_model"] // n_heads, **sizes)
    (tmp_path / "exported").mkdir()
    save_file(
        export_tensors(model.state_dict(), model.sizes.n_layers),
        weights_file(tmp_path, "exported"),
    )
    transformer = map_arrays(
        read_weights(tmp_path / "exported", card), lambda array: array.astype(np.float64)
    )
    ids = np.random.default_rng(0).integers(0, 200, 40)
    with torch.no_grad():
        expected = model.hidden_states(torch.from_numpy(ids)[None])[0].numpy()
    np.testing.assert_allclose(forward(transformer, ids).hidden, expected, atol=1e-5)
