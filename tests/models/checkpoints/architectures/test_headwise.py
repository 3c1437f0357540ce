from app.models.checkpoints.architectures.headwise import HEADWISE
from app.models.checkpoints.config import Config
from app.models.checkpoints.loader import ARCHITECTURES


def test_every_shipped_model_has_the_shape_of_its_card(models):
    for model in models.of_kind("trained"):
        card, transformer = model.card, model.transformer
        spec = HEADWISE.read_spec(Config(card.model_dump()))
        assert (spec.n_layers, spec.n_heads, spec.d_head) == (2, card.n_heads, card.d_head)
        assert (spec.pre_norm, spec.causal, spec.rope_theta) == (True, False, None)
        assert len(transformer.layers) == card.n_layers
        assert transformer.n_heads == card.n_heads
        assert transformer.token_embedding.shape == (card.vocabulary, card.d_model)
        assert transformer.max_tokens == card.max_tokens
        assert transformer.lm_head.weight is transformer.token_embedding


def test_a_folder_of_ones_own_is_never_read_as_a_shipped_model():
    assert HEADWISE not in ARCHITECTURES
    assert HEADWISE.model_types == ()
