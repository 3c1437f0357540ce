"""Train the shipped models on books: corpus, tokenizer, encode, train, export, measure.

Each stage is a command, `python -m training.STAGE`. It reads what the stage before it wrote to
`training/build/`. Only this package needs torch; `app/` does not.
"""
