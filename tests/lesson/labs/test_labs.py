import numpy as np
import pytest

from app.attention import Intervention
from app.lesson import LABS, Controls, LabState, compare, explain, load_lessons
from app.lesson.selection import Selection
from app.models.prediction import fill_mask
from app.picture import Axis, HeatmapLayout, heatmap, signed_map, signed_thumbnail, thumbnail
from app.settings import site_folder

TEXT = "She opened the old wooden door"


@pytest.fixture(scope="module")
def options(models):
    (lesson,) = load_lessons(site_folder("lessons"), models).lessons
    return {step.config.lab.name: step.config.lab.options for step in lesson.steps}


def make_view(models, model="headwise-h4", text=TEXT, options=None, **chosen):
    controls = Controls(**chosen.pop("controls", {}))
    indices = {"layer": 0, "head": 0, "word": 1} | chosen
    sentence = models[model].tokenizer.sentence(text)
    selection = Selection(sentence, models[model], **indices)
    return LabState(selection, models, options or {}, controls)


def layout_of(view):
    labels = [token.text for token in view.sentence.tokens]
    return HeatmapLayout(Axis(labels, view.sentence.word_of, view.query_rows))


@pytest.mark.parametrize("name", LABS)
@pytest.mark.parametrize("text", ["cat", "cat cat cat", "zyzzyva 雪", "very " * 48])
@pytest.mark.parametrize("model", ["headwise-h1", "headwise-h8", "headwise-h4-random"])
def test_every_lab_accepts_unusual_sentences_and_every_model(models, options, name, text, model):
    for layer in (0, 1):
        view = make_view(models, model, text, options=options[name], layer=layer, word=0)
        assert LABS[name].run(view)
        assert view.query_word == text.split()[0]
        assert view.max_entropy >= 0


class TestPipeline:
    def test_stages_are_products_scaled_masked_and_weights(self, models):
        view = make_view(models, head=2, controls={"causal": True})
        lab = LABS["pipeline"].run(view)
        model = models["headwise-h4"]
        forward_pass = model.run(view.sentence, intervention=Intervention(causal=True))
        trace = forward_pass.trace(0)
        for stage, values in zip(
            lab.stages, (trace.scores, trace.scaled, trace.masked), strict=True
        ):
            finite = values[2][np.isfinite(values[2])]
            assert stage.largest == pytest.approx(np.abs(finite).max())
            assert stage.map == signed_map(values[2], layout_of(view), stage.largest)
        assert lab.figure.map == heatmap(trace.weights[2], layout_of(view))
        assert lab.divisor == pytest.approx(np.sqrt(32))

    def test_column_totals_share_one_for_each_row(self, models):
        lab = LABS["pipeline"].run(make_view(models))
        assert sum(column.total for column in lab.columns) == pytest.approx(6, abs=1e-4)
        largest = max(lab.columns, key=lambda column: column.total)
        assert [c.key for c in lab.columns if c.is_largest] == [largest.key]

    def test_the_mask_crosses_out_later_tokens(self, models):
        result = LABS["pipeline"].run(make_view(models, controls={"causal": True}))
        assert result.stages[2].map.count("−∞") == 15
        assert result.stages[1].map.count("−∞") == 0


class TestInputPerturbation:
    def test_every_head_changes_when_projected_and_one_when_sliced(self, models):
        lab = LABS["nudge"].run(make_view(models, "headwise-h8"))
        project, sliced = lab.variants
        assert (project.name, project.n_changed) == ("project", 8)
        assert (sliced.name, sliced.n_changed) == ("slice", 1)
        assert sliced.changes[0].changed

    def test_the_difference_is_after_minus_before(self, models):
        view = make_view(models, "headwise-h8", head=3)
        lab = LABS["nudge"].run(view)
        trace = view.trace
        X = trace.X.copy()
        X[view.query_rows[0], :16] += 1
        after = type(trace)(X, trace.W).weights
        assert lab.before == heatmap(trace.weights[3], layout_of(view))
        assert lab.after == heatmap(after[3], layout_of(view))
        difference = after[3] - trace.weights[3]
        assert lab.difference == signed_map(difference, layout_of(view), lab.largest)
        change = lab.variants[0].changes[3]
        assert change.difference == signed_thumbnail(difference, lab.largest)
        assert change.max_change == pytest.approx(np.abs(difference).max())

    def test_shapes_are_those_of_the_arrays(self, models):
        view = make_view(models)
        shapes = {each.stage: each.shape for each in LABS["nudge"].run(view).shapes}
        trace = view.trace
        assert shapes["input"] == trace.X.shape
        assert shapes["transposed"] == trace.Q.shape
        assert shapes["maps"] == trace.weights.shape


class TestHeadCount:
    def test_counters_are_the_sizes_of_the_arrays(self, models):
        view = make_view(models)
        for cost in LABS["budget"].run(view).costs:
            layer = models[cost.trained_model.card.id].transformer.layers[0].attention
            arrays = (layer.qkv, layer.qkv_bias, layer.output, layer.output_bias)
            assert cost.attention_parameters == sum(array.size for array in arrays) == 66_048
            assert cost.cells == cost.trained_model.card.n_heads * 36
            trace = models[cost.trained_model.card.id].run(view.sentence).trace(0)
            assert cost.multiplications == trace.Q.size * 6 + trace.weights.size * layer.d_head
            assert cost.chosen == (cost.trained_model.card.id == "headwise-h4")

    def test_without_the_divisor_maps_and_entropies_change(self, models):
        divided, undivided = (
            LABS["budget"].run(make_view(models, controls={"unscaled": unscaled}))
            for unscaled in (False, True)
        )
        assert divided.entropies == undivided.entropies
        for head, (with_divisor, without) in enumerate(divided.entropies):
            assert divided.heads[head].mean_entropy == pytest.approx(with_divisor)
            assert undivided.heads[head].mean_entropy == pytest.approx(without)
            assert without < with_divisor


class TestOutputProjection:
    def test_contributions_are_the_lengths_of_what_heads_add(self, models):
        view = make_view(models, controls={"off": frozenset({(0, 1)})})
        lab = LABS["mix"].run(view)
        full_trace = view.model.run(view.sentence).trace(0)
        for each in lab.contributions:
            cut = slice(each.head * 32, (each.head + 1) * 32)
            added = full_trace.head_outputs[each.head] @ full_trace.W.output[cut]
            assert each.length == pytest.approx(np.linalg.norm(added[1]), abs=1e-4)
            assert each.off == (each.head == 1)

    def test_one_output_number_is_the_sum_of_its_parts(self, models):
        view = make_view(models)
        value = LABS["mix"].run(view).output_value
        total = sum(each.value for each in value.summands) + value.bias
        assert total == pytest.approx(value.total, abs=1e-4)
        assert abs(value.total) == pytest.approx(np.abs(view.trace.output[1]).max())

    def test_guesses_are_for_the_chosen_word_with_and_without_heads(self, models):
        baseline = LABS["mix"].run(make_view(models, word=5))
        assert baseline.token_predictions.text == "She opened the old wooden [MASK]"
        assert baseline.token_predictions.before == baseline.token_predictions.after
        off = frozenset((0, head) for head in range(4))
        ablated = LABS["mix"].run(make_view(models, word=5, controls={"off": off}))
        assert ablated.token_predictions.before == baseline.token_predictions.before
        assert ablated.token_predictions.after != ablated.token_predictions.before
        assert all(0 < guess.probability < 1 for guess in ablated.token_predictions.after)

    def test_the_chosen_word_is_guessed_though_others_are_masked_too(self, models):
        lab = LABS["mix"].run(make_view(models, text="The [MASK] opened the door", word=4))
        assert lab.token_predictions.text == "The [MASK] opened the [MASK]"
        model = models["headwise-h4"]
        blanks = fill_mask(model, model.tokenizer.sentence(lab.token_predictions.text))
        assert [g.text for g in lab.token_predictions.before] == [g.text for g in blanks[1].guesses]

    def test_weighting_changes_the_maps_and_nothing_else(self, models):
        unweighted = LABS["mix"].run(make_view(models))
        view = make_view(models, controls={"weighted": True})
        weighted = LABS["mix"].run(view)
        assert weighted.contributions == unweighted.contributions
        assert weighted.heads[0].thumb == thumbnail(view.trace.norm_weighted[0])
        assert weighted.heads[0].map != unweighted.heads[0].map


class TestHeadMetrics:
    def test_scores_are_means_of_cells(self, models):
        text = "the cat saw the other cat"
        view = make_view(models, "headwise-h8", text=text)
        maps = view.trace.weights
        forms = text.split()
        for row in LABS["measures"].run(view).metrics:
            weights = maps[row.head]
            n = len(forms)
            expected = {
                "previous": np.mean([weights[i, i - 1] for i in range(1, n)]),
                "next": np.mean([weights[i, i + 1] for i in range(n - 1)]),
                "itself": np.mean([weights[i, i] for i in range(n)]),
                "same word": np.mean(
                    [
                        sum(weights[i, j] for j in range(n) if j != i and forms[i] == forms[j])
                        for i in range(n)
                    ]
                ),
            }
            for score in row.scores:
                assert score.here == pytest.approx(expected[score.name], abs=1e-5)
            distance = np.mean(
                [sum(weights[i, j] * abs(i - j) for j in range(n)) for i in range(n)]
            )
            assert row.distance == pytest.approx(distance, abs=1e-4)

    def test_a_head_has_the_labels_of_its_record_and_no_other(self, models):
        evidence = models.evidence_of(models["headwise-h8"])
        for layer in (0, 1):
            lab = LABS["measures"].run(make_view(models, "headwise-h8", layer=layer))
            for row in lab.metrics:
                record = evidence.heads[layer * 8 + row.head]
                assert (record.layer, record.head) == (layer, row.head)
                assert list(row.labels) == evidence.labels(record)

    def test_an_untrained_model_has_no_record(self, models):
        lab = LABS["measures"].run(make_view(models, "headwise-h8-random"))
        assert not lab.treebank
        assert all(row.record is None and not row.labels for row in lab.metrics)

    def test_shuffled_maps_are_those_of_the_shuffled_sentence(self, models):
        lab = LABS["measures"].run(make_view(models, controls={"shuffled": True}))
        assert lab.sentence != TEXT
        assert sorted(lab.sentence.split()) == sorted(TEXT.split())
        at = lab.sentence.split().index("opened")
        expected_view = make_view(models, text=lab.sentence, word=at)
        expected = LABS["measures"].run(expected_view)
        assert expected_view.query_word == "opened"
        assert make_view(models, controls={"shuffled": True}).displayed.query_word == "opened"
        assert [figure.map for figure in lab.heads] == [figure.map for figure in expected.heads]


class TestGroupedQuery:
    def test_pooling_changes_maps_and_keeps_their_number(self, models, options):
        unpooled = LABS["sharing"].run(make_view(models, "headwise-h8", options=options["sharing"]))
        assert unpooled.groupings == (1, 2, 4, 8)
        assert max(unpooled.max_change) < 1e-6
        pooled = LABS["sharing"].run(
            make_view(models, "headwise-h8", options=options["sharing"], controls={"groups": 1})
        )
        assert len(pooled.heads) == 8
        assert len({figure.map for figure in pooled.heads}) == 8
        assert min(pooled.max_change) > 0.01

    def test_the_cache_holds_a_key_and_a_value_for_each(self, models, options):
        lab = LABS["sharing"].run(make_view(models, "headwise-h8", options=options["sharing"]))
        llama = next(row for row in lab.cache if row.model.name == "Llama 3 70B")
        assert llama.numbers == 163_840 * 6
        assert llama.without_sharing == 1_310_720 * 6


class TestComparison:
    def test_it_is_the_difference_of_two_maps(self, models):
        view = make_view(models, head=2, controls={"minus": ("headwise-h1", 0)})
        result = compare(view)
        weights = models["headwise-h4"].run(view.sentence).weights[0][2]
        other_weights = models["headwise-h1"].run(view.sentence).weights[0][0]
        assert result.max_difference == pytest.approx(
            np.abs(weights - other_weights).max(), abs=1e-5
        )
        assert result.map == signed_map(
            weights - other_weights, layout_of(view), result.max_difference
        )

    def test_a_head_minus_itself_is_nothing(self, models):
        assert (
            compare(
                make_view(models, head=2, controls={"minus": ("headwise-h4", 2)})
            ).max_difference
            < 1e-6
        )

    @pytest.mark.parametrize(
        "controls", [{"causal": True}, {"weighted": True}, {"shuffled": True}, {"groups": 2}]
    )
    def test_both_heads_are_under_the_same_controls(self, models, controls):
        view = make_view(models, head=2, controls=controls | {"minus": ("headwise-h4", 2)})
        assert compare(view).max_difference < 1e-6

    def test_head_interventions_do_not_apply_to_another_model(self, models):
        off = {"off": frozenset({(0, 3)}), "groups": 2, "minus": ("headwise-h1", 0)}
        assert compare(make_view(models, controls=off)).max_difference > 0

    def test_nothing_is_compared_by_default(self, models):
        assert compare(make_view(models)) is None


@pytest.mark.parametrize("name", LABS)
def test_every_lab_can_draw_lines_instead_of_maps(models, options, name):
    result = LABS[name].run(
        make_view(models, options=options[name], controls={"layout": "lines", "causal": True})
    )
    if name == "side-by-side":
        figures = [figure for panel in result.panels for figure in panel.heads]
    else:
        figures = getattr(result, "heads", ()) or (
            (result.figure,) if hasattr(result, "figure") else ()
        )
    maps = [figure.map for figure in figures] or [result.before, result.after]
    assert all(each.startswith('<svg class="ties"') for each in maps)


class TestExplanation:
    @pytest.mark.parametrize("layer", [0, 1])
    def test_it_leads_from_products_to_the_weight(self, models, layer):
        view = make_view(models, head=1, layer=layer, controls={"cell": (2, 4)})
        result = explain(view)
        assert (result.query, result.key) == ("the", "wooden")
        assert len(result.elements) == 32
        total = sum(each.query * each.key for each in result.elements)
        assert total == pytest.approx(result.score, abs=1e-4)
        assert result.score / result.divisor == pytest.approx(result.scaled, abs=1e-4)
        assert np.exp(result.scaled - result.row_largest) == pytest.approx(
            result.exponential, rel=1e-3
        )
        assert result.exponential / result.row_sum == pytest.approx(result.weight, abs=1e-5)
        weights = view.model.run(view.sentence).weights[layer]
        assert result.weight == pytest.approx(float(weights[1, 2, 4]), abs=1e-5)

    def test_a_masked_cell_has_no_weight_at_all(self, models):
        result = explain(make_view(models, controls={"cell": (2, 4), "causal": True}))
        assert result.masked
        assert result.weight == result.exponential == 0

    def test_without_the_divisor_nothing_is_divided(self, models):
        result = explain(make_view(models, controls={"cell": (2, 4), "unscaled": True}))
        assert result.divisor == 1
        assert result.scaled == pytest.approx(result.score, abs=1e-4)

    def test_the_displayed_cell_of_a_shuffled_sentence_is_explained(self, models):
        view = make_view(models, "headwise-h8", controls={"shuffled": True, "cell": (1, 2)})
        result = explain(view.displayed)
        shuffled_sentence = view.displayed.sentence
        assert (result.query, result.key) == (
            shuffled_sentence.tokens[1].text,
            shuffled_sentence.tokens[2].text,
        )
        weights = view.model.run(shuffled_sentence).weights[0]
        assert result.weight == pytest.approx(float(weights[0, 1, 2]), abs=1e-5)
        displayed_words = [view.sentence.words[word].text for word in view.displayed_word_ids]
        assert displayed_words == [
            shuffled_sentence.words[token.word].text for token in shuffled_sentence.tokens
        ]
        assert view.displayed.sentence.words[view.displayed.word].text == "opened"

    def test_where_maps_are_weighted_the_number_on_the_map_is_explained_too(self, models):
        view = make_view(models, head=1, controls={"weighted": True, "cell": (2, 4)})
        result = explain(view)
        assert result.weighted == pytest.approx(float(view.maps[1, 2, 4]), abs=1e-5)
        assert result.length > 0

    def test_no_cell_no_explanation(self, models):
        assert explain(make_view(models)) is None
