"""Before learners commit to an answer, nothing that the page is or fetches gives it away."""

import math
import re
from html import escape, unescape

import pytest

from app.lesson import PredictionInput
from app.lesson.labs import LABS
from app.lesson.labs.lab_state import PANELS
from app.lesson.selection import Selection
from app.picture import format_cell, format_weight
from app.web.state.step_prediction import StepPrediction
from tests.lesson.naive_attention import naive_layer
from tests.lesson.naive_maps import layer_of, naive_maps, naive_word_rows, name_of, top_of
from tests.lesson.naive_pooling import naive_rows
from tests.lesson.naive_records import head_of, naive_places, naive_relations, read_record
from tests.lesson.naive_transformer import naive_probabilities
from tests.shipped import LESSONS
from tests.web.requests import HTMX

STEPS = {step.number: (lesson, step) for lesson in LESSONS for step in lesson.steps}
TEXTS = ["", "the old dog slept by the fire", "Every student needs a good dictionary"]
"""The empty text stands for the step's own sentence."""

FIRST_HEAD_OF_EIGHT = 4
"""The first head that a model of eight heads has and one of four has not."""

MAX_NUMBERED_MAP = 7
"""Maps of more tokens have no numbers in their cells."""


def readable_text(html):
    """The words of a response as they are read, attributes included."""
    return " ".join(unescape(re.sub(r"</?(?:b|bdi|i|em|strong|span)\b[^>]*>", "", html)).split())


def get(client, path, headers=None, **query):
    response = client.get(path, params=query, headers=headers)
    assert response.status_code == 200
    return response.text


def responses(client, path, **query):
    """Everything that a page with this query is, and everything that it fetches by itself."""
    yield get(client, path, **query)
    yield get(client, path, embed="1", **query)
    yield get(client, path, HTMX, **query)
    for panel in PANELS:
        yield get(client, path, **query | {"open": panel})
    heads = re.findall(r'data-head="(\d+)"', get(client, path, **query))
    for head in sorted(set(heads)):
        yield get(client, f"{path}/numbers", HTMX, **query | {"head": head})
    yield get(client, f"{path}/handout", **query)


def step_prediction(step, models, text):
    """The prediction of the step's own view, or of that view on another sentence."""
    defaults = step.config.defaults
    model = models[defaults.model]
    sentence = model.tokenizer.sentence(text or defaults.text)
    word = min(defaults.word, len(sentence.words) - 1)
    selection = Selection(sentence, model, defaults.layer, defaults.head, word)
    return StepPrediction(step.config.predict, selection, models)


def column_total_parts(inputs: PredictionInput):
    """The total of the column, and every row but the chosen word's."""
    weights = inputs.weights()[inputs.head]
    n = len(inputs.sentence.tokens)
    yield f"{weights[:, inputs.sentence.word_of.index(inputs.word)].sum():.2f}"
    for row in range(n):
        if inputs.sentence.word_of[row] != inputs.word:
            yield [f"{weight:.4f}" for weight in weights[row]]
            if n <= MAX_NUMBERED_MAP:
                yield [escape(format_cell(float(weight))) for weight in weights[row]]


def distinct_words_parts(inputs: PredictionInput):
    """The word that each head picks, and its weight, of heads that no other model on show has."""
    rows = naive_word_rows(inputs, naive_maps(*layer_of(inputs)))
    for head, row in enumerate(rows):
        if head >= FIRST_HEAD_OF_EIGHT:
            pick = top_of(row)
            word = "itself" if pick == inputs.word else name_of(inputs, pick)
            yield f"Head {head} {word} {format_weight(row[pick])}"


def changed_top_words_parts(inputs: PredictionInput):
    """For each head the word that it reads most after the nudge, and the sliced version."""
    W, X = layer_of(inputs)
    after = X.copy()
    for token, word in enumerate(inputs.sentence.word_of):
        if word == inputs.word:
            after[token, 64:80] += 1
    pairs = [naive_word_rows(inputs, naive_maps(W, each)) for each in (X, after)]
    for head, rows in enumerate(zip(*pairs, strict=True)):
        old, new = (
            "itself" if top_of(row) == inputs.word else name_of(inputs, top_of(row)) for row in rows
        )
        yield f"Head {head} {f'still {old}' if old == new else f'→ {new}'}"
    yield "With slices: 1 of 8 maps changes"
    yield "8 of 8 maps change"


def cells_in_order(numbers, html):
    """Whether a response prints these numbers in cells that follow one another."""
    pattern = r"\D{0,90}".join(map(re.escape, numbers))
    return re.search(pattern, html) is not None


def best_guess_parts(inputs: PredictionInput):
    """Each model's rank and probability of the hidden word, its best guess, and the losses."""
    position = inputs.sentence.word_of.index(inputs.word)
    ids = [token.id for token in inputs.sentence.tokens]
    target, ids[position] = ids[position], inputs.model.tokenizer.mask_token_id
    for model in inputs.models.of_kind("trained"):
        probabilities = naive_probabilities(model, ids, position)
        rank = 1 + sum(bool(each > probabilities[target]) for each in probabilities)
        yield f"is guess {rank:,}, {format_weight(probabilities[target])}"
        best = int(probabilities.argmax())
        yield f"{model.tokenizer.decode_token(best)[0]} {format_weight(probabilities[best])}"
        yield f"{model.card.training.validation_loss:.3f}"
    yield "30,000 steps, seed 0"


def largest_contribution_parts(inputs: PredictionInput):
    """The length of what each head adds, its bar, and the best guess at the hidden word."""
    rows = [i for i, word in enumerate(inputs.sentence.word_of) if word == inputs.word]
    contributions = naive_layer(inputs.model, inputs.sentence, inputs.layer).contributions
    for head, contribution in enumerate(contributions):
        length = sum(math.dist(contribution[row], [0] * 128) for row in rows) / len(rows)
        yield f"Head {head} adds {length:.2f}"
        yield f">{length:.2f}</text>"
    yield 'class="bar-value'
    ids = [token.id for token in inputs.sentence.tokens]
    ids[rows[0] : rows[-1] + 1] = [inputs.model.tokenizer.mask_token_id]
    probabilities = naive_probabilities(inputs.model, ids, rows[0])
    best = int(probabilities.argmax())
    yield f"{inputs.model.tokenizer.decode_token(best)[0]} {format_weight(probabilities[best])}"
    yield "This is the average of the 4 maps"


def head_record_parts(inputs: PredictionInput):
    """The rate of each head of the layer against its baseline, as its card says."""
    record = read_record(inputs.model.card.id)
    for head in range(inputs.model.card.n_heads):
        measured = head_of(record, inputs.layer, head)
        places = naive_places(record, measured)
        if places:
            rate, baseline = measured["tops"][places[0]], record["twin_tops"][places[0]]
        else:
            relations = naive_relations(record, measured)
            found = [each for each in relations if each[4]]
            margin, _, finding, _, _ = (found or relations)[0]
            rate = finding["test"]["hits"] / finding["test"]["n"]
            baseline = rate - margin
        yield f"{100 * rate:.0f} % against a baseline of/ {100 * baseline:.0f} %"
    yield "The whole record of head"
    yield "a score depends only on two tokens and their places. Only scores of the changed"


def shared_keys_parts(inputs: PredictionInput):
    """The word that each head reads most with one set of keys, and its weight."""
    texts = [word.text for word in inputs.sentence.words]
    for row in naive_rows(inputs, is_pooled=True):
        top = row.index(max(row))
        place = f" ({top + 1})" if texts.count(texts[top]) > 1 else ""
        yield f"1 set: {texts[inputs.word]} reads {texts[top]}{place} {max(row):.2f}"
    yield "What real models keep"


EXTRA_PARTS = {
    "best_guess": best_guess_parts,
    "changed_top_words": changed_top_words_parts,
    "column_total": column_total_parts,
    "distinct_words": distinct_words_parts,
    "head_record": head_record_parts,
    "largest_contribution": largest_contribution_parts,
    "shared_keys": shared_keys_parts,
}
"""By the prediction's name, what else answers the question: texts, or numbers in a row of cells."""


def is_in(part, html):
    if isinstance(part, list):
        return cells_in_order(part, re.sub(r'[xy]="[^"]*"', "", html))
    return part in readable_text(html)


@pytest.mark.parametrize("number", STEPS)
@pytest.mark.parametrize("text", TEXTS)
def test_the_answer_appears_only_after_the_commitment(client, models, number, text):
    lesson, step = STEPS[number]
    path = f"/{lesson.slug}/{step.slug}"
    prediction = step_prediction(step, models, text)
    query = {"text": text, "word": str(prediction.selection.word)} if text else {}
    answer, selection = prediction.answer, prediction._input
    extra_parts = EXTRA_PARTS.get(step.config.predict.computed_by)
    parts = list(extra_parts(selection)) if extra_parts else []
    before = list(responses(client, path, **query))
    assert 'class="hidden-part"' in before[0]
    for html in before:
        assert 'id="verdict"' not in html
        assert "is-right" not in html
        assert 'class="marked"' not in html
        assert "is-marked" not in html
        found = [part for part in parts if is_in(part, html)]
        assert found == []
    for committed in ({"predict": answer.right[0]}, {"reveal": "1"}):
        html = get(client, path, open="numbers", **query, **committed)
        assert 'id="verdict"' in html
        assert [part for part in parts if not is_in(part, html)] == []


@pytest.mark.parametrize("number", STEPS)
def test_what_the_page_links_to_does_not_give_the_answer_away(client, models, number):
    """Other views of the step, its files, its handout and its assignment; not what a link reveals
    on purpose, and not other steps or the records of the models.
    """
    lesson, step = STEPS[number]
    path = f"/{lesson.slug}/{step.slug}"
    prediction = step_prediction(step, models, "")
    parts = list(EXTRA_PARTS[step.config.predict.computed_by](prediction._input))
    links = {
        unescape(link)
        for panel in ("", *PANELS)
        for link in re.findall(r'(?:href|src)="([^"]+)"', get(client, path, open=panel))
    }
    own = sorted(link for link in links if link.startswith((f"{path}/", f"{path}?", "/assign")))
    assert len(own) > 4
    for link in own:
        response = client.get(link)
        assert response.status_code == 200
        # Numbers in code have more digits, so a text may occur in them by accident.
        sought = [part for part in parts if "code.py" not in link or not isinstance(part, str)]
        assert [part for part in sought if is_in(part, response.text)] == []
        assert "is-right" not in response.text


# The layout "lines" has no cells to print weights in; step 2 then prints the total of each column.
@pytest.mark.parametrize("number", [number for number in STEPS if number != 2])
def test_in_every_layout_the_answer_appears_only_after_the_commitment(client, models, number):
    lesson, step = STEPS[number]
    path = f"/{lesson.slug}/{step.slug}"
    prediction = step_prediction(step, models, "")
    parts = list(EXTRA_PARTS[step.config.predict.computed_by](prediction._input))
    for layout in LABS[step.config.lab.name].layouts:
        before = get(client, path, show=layout)
        assert [part for part in parts if is_in(part, before)] == []
        after = get(client, path, show=layout, predict=prediction.answer.right[0])
        assert [part for part in parts if not is_in(part, after)] == []


def test_one_set_of_keys_is_not_shown_before_the_commitment_even_if_it_is_chosen(client, models):
    lesson, step = next(
        each for each in STEPS.values() if each[1].config.predict.computed_by == "shared_keys"
    )
    path = f"/{lesson.slug}/{step.slug}"
    parts = list(shared_keys_parts(step_prediction(step, models, "")._input))
    pooled = [
        f"{weight:.4f}"
        for row in naive_rows(step_prediction(step, models, "")._input, is_pooled=True)
        for weight in row
    ]
    table = f"{path}/numbers"
    as_trained = get(client, table, HTMX)
    for html in responses(client, path, groups="1"):
        assert [part for part in parts if is_in(part, html)] == []
    assert cells(get(client, table, HTMX, groups="1")) == cells(as_trained)
    after = get(client, table, HTMX, groups="1", reveal="1")
    assert cells(after) != cells(as_trained)
    assert set(cells(after)) & set(pooled)


def drawn_cells(html):
    """The classes of cells that stand out from the background, and of numbers in cells."""
    return re.findall(r'<(?:path|text) class="(?:number )?heat-\d+|class="maximum" d="M', html)


EIGHT = "headwise-h8"
QUESTION_ABOUT_EIGHT = "/multi-head-attention/why-one-head-is-not-enough"


@pytest.mark.parametrize("layer", ["0", "1"])
@pytest.mark.parametrize("word", ["0", "2"])
def test_heads_that_the_question_is_about_are_outlines_if_their_model_is_chosen(
    client, layer, word
):
    """In no layer and for no word: each is a view of its own, and its rows answer other views."""
    query = {"model": EIGHT, "layer": layer, "word": word}
    pages = list(responses(client, QUESTION_ABOUT_EIGHT, **query))
    for layout in ("grid", "map", "lines", "strip"):
        pages.append(get(client, QUESTION_ABOUT_EIGHT, show=layout, **query))
    for cell in ("0.1", "2.0"):
        pages.append(get(client, QUESTION_ABOUT_EIGHT, cell=cell, **query))
    for minus in ("headwise-h4.1", f"{EIGHT}.5"):
        pages.append(get(client, QUESTION_ABOUT_EIGHT, minus=minus, **query))
    alone = get(client, QUESTION_ABOUT_EIGHT, model="headwise-h1", layer=layer, word=word)
    largest = len(drawn_cells(alone))
    for html in pages:
        assert len(drawn_cells(html)) <= largest
        assert not re.search(r"Head [1-7]: \w+ reads", html)
        assert not re.search(r"Layer \d, head \d:", html)
        assert 'id="explained"' not in html
        assert "/code.py?" not in html
    overview = get(client, QUESTION_ABOUT_EIGHT, open="heads", **query)
    assert drawn_cells(overview.partition('class="overview"')[2].partition("</table>")[0]) == []
    assert not re.search(
        r"\d", "".join(cells(get(client, f"{QUESTION_ABOUT_EIGHT}/numbers", **query)))
    )
    assert client.get(f"{QUESTION_ABOUT_EIGHT}/code.py", params=query).status_code == 422
    after = get(client, QUESTION_ABOUT_EIGHT, open="heads", reveal="1", **query)
    assert drawn_cells(after.partition('class="overview"')[2].partition("</table>")[0])
    assert "/code.py?" in after
    code = client.get(f"{QUESTION_ABOUT_EIGHT}/code.py", params=query | {"reveal": "1"})
    assert code.status_code == 200


def test_a_blank_handout_of_the_playground_leaves_out_what_that_of_the_step_does(client):
    path = "/multi-head-attention/rows-ask-columns-answer/handout"

    def main_part(**query):
        return get(client, path, **query).partition("<main")[2].partition("Link to this view")[0]

    assert main_part(playground="1") == main_part()
    assert main_part(playground="1", answers="1") == main_part(answers="1")


def cells(html):
    """The numbers of a table of weights."""
    return re.findall(r"<td[^>]*>([^<]+)</td>", html)
