"""Evaluation of models: heads measured on a treebank, losses, and records of experiments."""
