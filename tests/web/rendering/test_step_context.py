from dataclasses import is_dataclass, replace

import pytest

from app.application import build_context, build_registry
from app.settings import Settings
from app.web.rendering.step_context import step_context
from app.web.state.assignments import Assignment, Signer
from app.web.state.requested_view import requested_view
from tests.lesson.small_lesson import SMALL_LESSONS

ORIGIN = "https://headwise.example"
SIGNER = Signer("a secret")


@pytest.fixture(scope="module")
def app_context():
    settings = Settings(lessons=SMALL_LESSONS, embed_origins=("https://elsewhere.example",))
    return replace(build_context(settings, build_registry(settings)), signer=SIGNER)


@pytest.fixture
def step(app_context):
    """Return the context of a step of the small lesson."""

    def step(number=1, is_partial=False, **query):
        (lesson,) = app_context.lessons
        chosen = lesson.steps[number - 1]
        requested = requested_view(query, lesson, chosen, app_context.models, app_context.signer)
        return step_context(requested, app_context, ORIGIN, is_partial=is_partial)

    return step


def test_every_group_is_a_typed_value(step):
    groups = vars(step(task="abc"))
    for name in ("view", "navigation", "form", "lab", "prediction", "share", "assignment"):
        assert is_dataclass(groups[name]), name


def test_a_refused_view_has_problems_and_nothing_computed(step):
    refused = step(text="cat " * 60)
    assert refused.lab is None
    assert refused.prediction is None
    assert [problem.name for problem in refused.form.problems] == ["text"]
    assert refused.form.typed_text == "cat " * 60
    assert refused.form.nearest_valid_url.startswith(f"{refused.navigation.path}?text=cat+cat")


def test_a_shown_view_has_no_problems(step):
    assert step().form.problems == ()
    assert step(edit="1", layer="9").form.problems == ()


class TestNavigation:
    def test_it_leads_to_the_next_step_and_after_the_last_to_the_end(self, step):
        first, last = step(1).navigation, step(2).navigation
        assert first.next_url == last.path
        assert last.previous_url == first.path
        assert first.next_step.number == 2
        assert last.next_step is last.next_url is None
        assert first.previous_step is first.previous_url is None
        assert last.end_path == f"/{step(2).lesson.slug}/end"

    def test_links_to_other_steps_carry_what_the_learner_chose(self, step):
        default = step().navigation
        assert "?" not in default.next_url
        chosen = step(text="Birds sing", model="headwise-h2").navigation
        expected = f"{default.next_url}?text=Birds+sing&model=headwise-h2"
        assert chosen.next_url == expected
        assert expected in chosen.step_urls.values()

    def test_links_to_other_steps_keep_assignment_and_frame_but_nothing_that_is_fixed(self, step):
        opened = step(text="Birds sing", embed="1", task="abc").navigation
        assert opened.next_url.endswith("?text=Birds+sing&task=abc&embed=1")

    def test_links_leave_a_frame_by_a_new_tab(self, step):
        assert step().navigation.new_tab == ""
        assert 'target="_blank"' in step(embed="1").navigation.new_tab


class TestForm:
    def test_it_submits_the_view_and_what_it_is_opened_with(self, step):
        plain, opened = step(word="1"), step(word="1", embed="1", task="abc", v="1")
        assert plain.form.hidden_fields["word"] == "1"
        assert "task" not in plain.form.hidden_fields
        assert "embed" not in plain.form.hidden_fields
        added = {"task": "abc", "embed": "1", "v": "1"}
        assert opened.form.hidden_fields == plain.form.hidden_fields | added

    def test_the_head_to_compare_with_is_hidden_only_where_its_menu_is_not(self, step):
        head = "headwise-h1.0"
        assert "minus" not in step(minus=head).form.hidden_fields
        assert step(minus=head, layer="9").form.hidden_fields["minus"] == head

    def test_fixed_parameters_are_disabled(self, step):
        path = str(step().navigation.path)
        token = SIGNER.encode_assignment(Assignment(path, "layer=1&v=1", ("layer",)))
        fixed = step(task=token)
        assert fixed.form.disabled("layer") == " disabled"
        assert fixed.form.disabled("word") == ""
        assert step().form.disabled("layer") == ""

    def test_the_layout_is_the_chosen_one_or_what_the_lab_shows(self, step):
        assert step(show="strip").form.layout == step(show="strip").lab.layout == "strip"
        assert step().form.layout == step().lab.layout == step().form.layouts[0]
        assert step(layer="9").form.layout == step().form.layouts[0]


class TestLab:
    def test_unknown_tokens_are_noticed(self, step):
        assert step(text="a 雪 fell").lab.has_unknown_tokens
        assert not step(text="a zyzzyva sat").lab.has_unknown_tokens

    def test_a_cell_and_a_head_to_compare_with_are_computed_if_chosen(self, step):
        plain, chosen = step().lab, step(cell="1.0", minus="headwise-h1.0").lab
        assert plain.explanation is plain.comparison is None
        assert chosen.explanation.query_token == 1
        assert chosen.comparison.model == "headwise-h1"

    def test_small_maps_are_of_every_head_of_every_layer(self, step):
        shown = step(model="headwise-h2")
        assert [len(row) for row in shown.lab.head_thumbnails] == [2] * shown.view.card.n_layers

    def test_unchanged_weights_are_not_called_retrained(self, step):
        assert step().lab.retrained_since is None


class TestPrediction:
    def test_an_answer_is_right_or_wrong(self, step):
        asked = step(reveal="0").prediction
        assert asked.given is asked.answer is None
        assert not asked.is_right
        for choice in asked.question.choice_ids:
            answered = step(predict=choice, reveal="0").prediction
            assert answered.given == choice
            assert answered.is_right == (choice in answered.answer.right)

    def test_an_answer_can_be_shown_without_one_of_the_learners(self, step):
        shown = step(reveal="1").prediction
        assert shown.given is None
        assert shown.answer.right
        assert not shown.is_right

    def test_every_choice_has_a_label(self, step):
        asked = step().prediction
        assert list(asked.labels) == asked.question.choice_ids


class TestShare:
    def test_a_view_is_shared_by_its_shortest_query(self, step):
        assert str(step(word="1", v="1").share.query) == "word=1&amp;v=1"

    def test_a_link_without_the_learners_sentence_exists_only_for_one(self, step):
        assert step().share.query_with_default_sentence is None
        assert step(text="Birds sing").share.query_with_default_sentence is not None

    def test_others_can_embed_the_lab_if_the_server_allows_it(self, step):
        share = step(word="1").share
        assert f'src="{ORIGIN}{step().navigation.path}?word=1&amp;v=1&amp;embed=1"' in share.iframe
        assert share.oembed_url.startswith(f"{ORIGIN}/oembed?")

    def test_others_cannot_embed_the_lab_if_the_server_does_not_allow_it(self, app_context):
        (lesson,) = app_context.lessons
        requested = requested_view({}, lesson, lesson.steps[0], app_context.models, SIGNER)
        share = step_context(requested, replace(app_context, may_be_embedded=False), ORIGIN).share
        assert share.iframe is share.oembed_url is None


class TestAssignment:
    def test_a_link_without_one_has_none(self, step):
        assert step().assignment is None

    def test_a_note_and_what_is_fixed_are_shown(self, step):
        path = str(step().navigation.path)
        assignment = Assignment(path, "layer=1&v=1", ("layer",), "Look at layer 1")
        shown = step(task=SIGNER.encode_assignment(assignment)).assignment
        assert (shown.note, shown.fixed) == ("Look at layer 1", ("layer",))
        assert shown.is_signed
        assert not shown.is_invalid

    def test_one_that_cannot_be_verified_says_so(self, step):
        assert step(task="abc").assignment.is_invalid

    def test_one_of_another_step_is_none(self, step):
        path = str(step(2).navigation.path)
        token = SIGNER.encode_assignment(Assignment(path, "layer=1&v=1", ("layer",)))
        assert step(1, task=token).assignment is None
