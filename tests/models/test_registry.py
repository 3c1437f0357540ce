import shutil

import numpy as np
import pytest

from app.attention import untrained_copy
from app.models import UnknownModelError, load_builtin_models
from app.models.builtin import BUILTIN_FOLDER, BrokenModelError, weights_file


def test_there_are_four_models_of_equal_size_and_training(models):
    cards = [model.card for model in models.of_kind("trained")]
    assert [card.n_heads for card in cards] == [1, 2, 4, 8]
    assert len({card.parameters for card in cards}) == 1
    training = {(c.training.seed, c.training.steps, c.training.tokens) for c in cards}
    assert len(training) == 1
    assert all(card.max_tokens >= 40 for card in cards)
    assert all(card.n_heads * card.d_head == card.d_model for card in cards)


def test_each_card_names_the_command_that_trained_it(models):
    for model in models.of_kind("trained"):
        training = model.card.training
        assert training.command == (
            f"python -m training.train --heads {model.card.n_heads}"
            f" --seed {training.seed} --steps {training.steps} --tokens-a-step 3072"
        )
        assert training.steps >= 30_000
        assert training.curve[-1].step == training.steps


def test_the_weights_are_as_many_as_the_card_says_and_below_4_mb(models):
    for model in models:
        transformer = model.transformer
        arrays = [
            transformer.token_embedding,
            transformer.position_embedding,
            transformer.lm_head.bias,
        ]
        arrays += [transformer.norm.gain, transformer.norm.bias]
        for layer in transformer.layers:
            arrays += [layer.attention.qkv, layer.attention.qkv_bias]
            arrays += [layer.attention.output, layer.attention.output_bias]
            arrays += [layer.attention_norm.gain, layer.attention_norm.bias]
            arrays += [layer.ffn_norm.gain, layer.ffn_norm.bias]
            arrays += [layer.ffn_hidden.weight, layer.ffn_hidden.bias]
            arrays += [layer.ffn_output.weight, layer.ffn_output.bias]
        assert sum(array.size for array in arrays) == model.card.parameters
        assert (model.folder / "weights.safetensors").stat().st_size < 4_000_000


def test_one_head_is_worst_at_equal_size(models):
    losses = {m.card.n_heads: m.card.training.validation_loss for m in models.of_kind("trained")}
    assert losses[1] == max(losses.values())


def test_every_model_has_an_untrained_copy_of_its_shape(models):
    trained, untrained_models = models.of_kind("trained"), models.of_kind("random")
    assert models.ids == [each.card.id for each in (*trained, *untrained_models)]
    for model, untrained_model in zip(trained, untrained_models, strict=True):
        assert untrained_model.card.id == f"{model.card.id}-random"
        assert untrained_model.card.training is None
        assert untrained_model.card.random_seed == 0
        assert models.nearest_of_kind(model, "random") is untrained_model
        assert models.nearest_of_kind(untrained_model, "trained") is model
        assert models.nearest_of_kind(model, "checkpoint") is None
        untrained = untrained_model.transformer
        assert untrained.token_embedding.shape == model.transformer.token_embedding.shape
        assert np.array_equal(
            untrained.token_embedding, untrained_copy(model.transformer, 0).token_embedding
        )
        assert not np.allclose(untrained.token_embedding, model.transformer.token_embedding)


def test_an_untrained_head_attends_almost_uniformly(models):
    untrained_model = models["headwise-h4-random"]
    weights = untrained_model.run(untrained_model.tokenizer.sentence("The cat sat down")).weights[0]
    assert np.abs(weights - 0.25).max() < 0.1


def test_an_unknown_model_is_reported_with_the_known_ones(models):
    with pytest.raises(
        UnknownModelError, match=r"no model “h3”\. There are headwise-h1, headwise-h2"
    ):
        models["h3"]
    assert "h3" not in models
    assert "headwise-h1" in models


def test_damaged_weights_are_found_at_the_start(tmp_path):
    shutil.copytree(BUILTIN_FOLDER, tmp_path / "shipped")
    file = weights_file(tmp_path / "shipped", "headwise-h4")
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(BrokenModelError, match="headwise-h4"):
        load_builtin_models(tmp_path / "shipped")


@pytest.fixture
def registry(models, headwise_model):
    return models.with_checkpoints(
        [headwise_model(kind) for kind in ("llama", "bert", "bert-relu")]
    )


def test_checkpoints_follow_the_shipped_models_in_their_own_order(models, registry):
    assert registry.ids == [*models.ids, "llama", "bert", "bert-relu"]
    assert [model.card.id for model in registry.of_kind("checkpoint")] == registry.ids[-3:]


def test_models_with_the_same_tokenizer_are_found(models, registry):
    assert registry.with_same_tokenizer(registry["headwise-h4"]) == list(models)
    same = registry.with_same_tokenizer(registry["bert"])
    assert [model.card.id for model in same] == ["bert", "bert-relu"]


@pytest.mark.parametrize(
    ("requested", "chosen", "expected"),
    [
        (None, "headwise-h4", "headwise-h4"),
        ("headwise-h8", "headwise-h4", "headwise-h8"),
        ("headwise-h8", "bert", "bert"),
        ("bert-relu", "bert", "bert-relu"),
    ],
)
def test_a_prediction_uses_the_requested_model_only_with_the_same_tokenizer(
    registry, requested, chosen, expected
):
    model = registry.model_for_prediction(requested, registry[chosen])
    assert model is registry[expected]


def test_the_nearest_model_of_a_kind_is_that_with_the_nearest_number_of_heads(registry):
    assert registry["bert"].card.n_heads == 4
    assert registry.nearest_of_kind(registry["bert"], "trained") is registry["headwise-h4"]
    assert registry.nearest_of_kind(registry["headwise-h1"], "checkpoint") is registry["bert-relu"]
