"""Experiments around a trained network, on the pages Conditioning and Along the training."""
