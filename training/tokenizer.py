"""Stage 2: train an uncased WordPiece tokenizer with 8,192 tokens on the training books.

python -m training.tokenizer
"""

from tokenizers import Tokenizer
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.trainers import WordPieceTrainer

from app.models.atomic import atomic_write
from training.paths import sentences_file, stage_parser, tokenizer_file

VOCABULARY_SIZE = 8192
SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[MASK]"]


def untrained_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]", max_input_chars_per_word=64))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.decoder = WordPieceDecoder()
    return tokenizer


def main() -> None:
    arguments = stage_parser(__doc__).parse_args()
    tokenizer = untrained_tokenizer()
    trainer = WordPieceTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=SPECIAL_TOKENS,
        limit_alphabet=200,
        show_progress=False,
    )
    tokenizer.train([str(sentences_file(arguments.build, "train"))], trainer)
    with atomic_write(tokenizer_file(arguments.build)) as partial:
        tokenizer.save(str(partial), pretty=False)
    print(f"{tokenizer_file(arguments.build)}: {tokenizer.get_vocab_size():,} tokens")


if __name__ == "__main__":
    main()
