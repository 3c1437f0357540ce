from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from app.attention.transformer import NoLMHeadError, logits
from tests.attention.strategies import MAX_TOKENS, token_ids, transformers


@given(transformers(), token_ids)
def test_the_first_layer_gets_token_and_position_embeddings_after_their_norm(model, ids):
    rows = []
    for position, token_id in enumerate(ids):
        row = model.token_embedding[token_id].copy()
        if model.position_embedding is not None:
            row += model.position_embedding[position]
        rows.append(row)
    expected = np.array(rows)
    if model.embedding_norm:
        expected = model.embedding_norm(expected)
    np.testing.assert_allclose(model.embed(ids), expected, atol=1e-12)


@given(transformers())
def test_a_model_reads_as_many_tokens_as_it_has_positions_unless_it_says_otherwise(model):
    assert model.max_tokens == MAX_TOKENS
    assert replace(model, max_context=5).max_tokens == 5


@given(transformers(), token_ids)
def test_logits_are_those_of_the_lm_head(model, ids):
    hidden = model.embed(ids)
    if model.lm_head is None:
        with pytest.raises(NoLMHeadError, match="no LM head"):
            logits(model, hidden)
    else:
        assert np.array_equal(logits(model, hidden), model.lm_head(hidden))
