"""One module an architecture: how its configuration is read, and the names of its tensors."""
