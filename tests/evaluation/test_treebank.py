import pytest

from app.evaluation.treebank import read_trees
from tests.evaluation.trees import SAMPLE_CONLLU


@pytest.fixture
def conllu_file(tmp_path):
    path = tmp_path / "sample.conllu"
    path.write_text(SAMPLE_CONLLU, encoding="utf-8")
    return path


def test_sentences_have_their_words_heads_and_relations(conllu_file):
    first, second = read_trees(conllu_file)
    assert first.words == ("The", "old", "cat", "sat", "on", "a", "mat", ".")
    assert first.heads == (2, 2, 3, None, 6, 6, 3, 3)
    assert first.relations[:3] == ("det", "amod", "nsubj")
    assert first.punctuation == (False,) * 7 + (True,)
    assert len(second.words) == 10


def test_contractions_and_omitted_words_are_left_out_and_subtypes_cut(conllu_file):
    _, second = read_trees(conllu_file)
    assert "don't" not in second.words
    assert "and" not in second.words
    assert second.relations[0] == "nsubj"


def test_what_is_not_a_treebank_is_refused_with_its_line(conllu_file):
    conllu_file.write_text("# text = x\n1\tx\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"sample\.conllu:2: 2 columns instead of 10"):
        list(read_trees(conllu_file))


@pytest.mark.parametrize("head", ["_", "9", "-1"])
def test_a_head_that_is_not_a_word_is_refused_with_the_end_of_its_sentence(conllu_file, head):
    rows = [f"1\tx\tx\tX\t_\t_\t{head}\tdet\t_\t_", "2\ty\ty\tX\t_\t_\t0\troot\t_\t_"]
    conllu_file.write_text("\n".join(rows) + "\n\n", encoding="utf-8")
    with pytest.raises(ValueError, match=rf"sample\.conllu:3: x depends on '{head}', which is not"):
        list(read_trees(conllu_file))
