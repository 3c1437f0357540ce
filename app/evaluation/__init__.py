"""Head statistics on a treebank, and the records they give."""
