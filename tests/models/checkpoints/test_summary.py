from app.models.checkpoints.summary import one_line_summary


def test_a_summary_is_one_line_with_sizes_and_objective(headwise_model):
    card = headwise_model("bert").card
    assert one_line_summary(card) == (
        "bert: BERT, 3 layers × 4 heads, width 32,"
        f" {card.parameters:,} parameters, guesses hidden words"
    )


def test_shared_keys_and_values_are_named_only_where_there_are_some(headwise_model):
    assert "4 heads on 2 sets of keys and values" in one_line_summary(headwise_model("llama").card)
    assert "sets of keys" not in one_line_summary(headwise_model("gpt2").card)


def test_a_model_without_an_lm_head_guesses_nothing(headwise_model):
    assert one_line_summary(headwise_model("bert-base").card).endswith("guesses nothing")
