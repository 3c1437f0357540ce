from dataclasses import replace

import pytest
from starlette.exceptions import HTTPException

from app.application import build_context
from app.lesson.loader import OutlineEntry
from app.models import MODEL_KINDS
from app.settings import Settings
from app.web.context import model_choices
from tests.lesson.small_lesson import SLUG, SLUG_1, SMALL_LESSONS


@pytest.fixture(scope="module")
def app_context(models):
    return build_context(Settings(lessons=SMALL_LESSONS), models)


def test_a_lesson_is_found_by_its_slug(app_context):
    assert app_context.lesson(SLUG).slug == SLUG
    with pytest.raises(HTTPException) as error:
        app_context.lesson("no-lesson")
    assert error.value.status_code == 404


def test_a_step_is_found_by_slug_and_by_number(app_context):
    lesson = app_context.lesson(SLUG)
    assert app_context.step(lesson, SLUG_1) is app_context.step(lesson, "1") is lesson.steps[0]


def test_a_step_that_cannot_be_shown_is_reported_with_the_reason(app_context):
    broken = OutlineEntry(3, "Third", None, "broken")
    lesson = replace(app_context.lesson(SLUG), broken=(broken,))
    for name, detail in [("3", "This step is broken."), ("99", "Not Found"), ("none", "Not Found")]:
        with pytest.raises(HTTPException) as error:
            app_context.step(lesson, name)
        assert (error.value.status_code, error.value.detail) == (404, detail)


def test_the_choices_next_to_a_model_are_built_once(app_context, models):
    assert list(app_context.model_choices) == models.ids
    assert app_context.model_choices["headwise-h4"] is app_context.model_choices["headwise-h4"]


def test_models_of_the_same_kind_can_be_chosen(models):
    choices = model_choices(models["headwise-h4-random"], models)
    assert choices.same_kind == tuple(
        (each.card.id, each.card.n_heads) for each in models if each.card.kind == "random"
    )


def test_the_nearest_model_of_each_kind_can_be_chosen(checkpoint_models):
    choices = model_choices(checkpoint_models["headwise-h2"], checkpoint_models)
    nearest = dict(choices.nearest_by_kind)
    assert list(nearest) == list(MODEL_KINDS)
    assert (nearest["trained"], nearest["random"]) == ("headwise-h2", "headwise-h2-random")
    n_heads = [each.card.n_heads for each in checkpoint_models.of_kind("checkpoint")]
    checkpoint = checkpoint_models[nearest["checkpoint"]].card
    assert abs(checkpoint.n_heads - 2) == min(abs(each - 2) for each in n_heads)


def test_without_checkpoints_none_can_be_chosen(models):
    nearest = dict(model_choices(models["headwise-h2"], models).nearest_by_kind)
    assert list(nearest) == ["trained", "random"]


def test_only_heads_of_models_with_the_same_tokens_can_be_compared(checkpoint_models):
    names = [
        name for name, _ in model_choices(checkpoint_models["bert"], checkpoint_models).comparable
    ]
    assert {"bert", "bert-short"} <= set(names)
    assert not {"gpt2", "headwise-h4"} & set(names)
