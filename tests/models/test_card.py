import json

import pytest
from pydantic import ValidationError

from app.models import Card
from app.models.builtin import BUILTIN_FOLDER, card_file


@pytest.fixture
def card_json():
    return json.loads(card_file(BUILTIN_FOLDER, "headwise-h4").read_text())


def test_a_card_is_written_with_its_json_names(card_json):
    card = Card.model_validate(card_json | {"family": "BERT", "guesses": "next", "n_kv_heads": 2})
    assert (card.architecture, card.predicts, card.n_kv_heads) == ("BERT", "next", 2)
    written = json.loads(card.model_dump_json())
    assert (written["family"], written["guesses"], written["n_kv_heads"]) == ("BERT", "next", 2)
    assert {"source", "has_specials", "has_turns"} <= set(written)
    assert Card.model_validate(written) == card


def test_a_card_with_an_unknown_value_is_refused(card_json):
    assert Card.model_validate(card_json).id == "headwise-h4"
    with pytest.raises(ValidationError, match="n_legs"):
        Card.model_validate(card_json | {"n_legs": 4})


def test_without_shared_keys_every_head_has_its_own(card_json):
    assert Card.model_validate(card_json).n_kv_heads == card_json["n_heads"] == 4


def test_the_card_of_an_untrained_copy_claims_no_training(card_json):
    card = Card.model_validate(card_json)
    copy = card.untrained_copy(7)
    assert (copy.id, copy.kind, copy.random_seed) == ("headwise-h4-random", "random", 7)
    assert copy.training is None
    assert card.training is not None
    assert copy.parameters == card.parameters
