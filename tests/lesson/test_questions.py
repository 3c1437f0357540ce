from hypothesis import given
from hypothesis import strategies as st

from app.lesson import Asked
from app.lesson.questions import distinct_top_words

words = st.sampled_from(["the", "cat", "sat", "because", "don't", "zyzzyva", ",", ".", "雪"])
sentences = st.lists(words, min_size=1, max_size=10).map(" ".join)


@given(sentences, st.data(), st.sampled_from([0, 1]))
def test_distinct_top_words_agrees_with_loops(models, text, data, layer):
    model = models["headwise-h8"]
    sentence = model.tokenizer.sentence(text)
    word = data.draw(st.integers(0, len(sentence.words) - 1))
    weights = model.read(sentence).weights[layer]
    tops = []
    for head in weights:
        totals = dict.fromkeys(range(len(sentence.words)), 0.0)
        for query, row in zip(sentence.tokens, head, strict=True):
            if query.word == word:
                for key, weight in zip(sentence.tokens, row, strict=True):
                    totals[key.word] += float(weight)
        best = max(totals.values())
        tops.append({index for index, total in totals.items() if total >= best - 1e-5})
    truth = distinct_top_words(Asked(sentence, model, layer, word))
    assert sorted(head for pick in truth.picks for head in pick.heads) == list(range(8))
    for pick in truth.picks:
        assert pick.word == sentence.words[pick.index].text
        assert all(pick.index in tops[head] for head in pick.heads)
    assert truth.answer in truth.choices
    assert truth.answer == str(len(truth.picks))
    assert len(truth.choices) == min(8, len(sentence.words))
