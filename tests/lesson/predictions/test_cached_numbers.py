from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.lesson.predictions.inputs import prediction_inputs, question_and_answer


@given(st.data())
def test_a_cache_holds_a_key_and_a_value_for_each_token_set_and_layer(models, data):
    sizes = {"layers": 80, "heads": 64, "kv_heads": 8, "d_head": 128}
    inputs = replace(data.draw(prediction_inputs(models, ["headwise-h8"])), options=sizes)
    keys_and_values = 0
    for _layer in range(80):
        for _group in range(8):
            keys_and_values += 2 * 128 * len(inputs.sentence.tokens)
    _, answer = question_and_answer("cached_numbers", inputs)
    assert answer.right == (str(keys_and_values),)
    assert answer.values["all_heads"] == f"{keys_and_values * 8:,}"
