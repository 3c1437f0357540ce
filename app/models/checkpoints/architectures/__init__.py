"""One module an architecture: configuration and tensor names."""
