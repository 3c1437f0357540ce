"""From public-domain books to the shipped weights: corpus, tokenizer, encode, train, export.

Each stage is one command, `python -m training.STAGE`, that reads what the stage before
it wrote under `training/build/`. torch is needed here and nowhere in `app/`.
"""
