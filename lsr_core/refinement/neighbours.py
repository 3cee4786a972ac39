"""Pairs of neighbouring samples, which are left out together: what they have in common, noise as well, is then not told from signal by itself."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

MOST_INPUTS = 20  # beyond which a search tree finds neighbours no faster than by looking at all
MOST_PLACES = 3000  # that are looked at all


def nearest_of(places: Tensor) -> Tensor | None:
    """The nearest other one (u,) of each of u places (u, …), by inputs divided by their standard deviations.

    None where there are too few, or many of many inputs.
    """
    from scipy.spatial import cKDTree

    flat = places.flatten(1).double().cpu().numpy()
    if len(flat) < 2 or (flat.shape[1] > MOST_INPUTS and len(flat) > MOST_PLACES):
        return None
    sizes = flat.std(axis=0)
    tree = cKDTree(flat / np.where(sizes > 0, sizes, 1.0))
    nearest = tree.query(tree.data, k=2)[1]
    other = np.where(nearest[:, 0] == np.arange(len(flat)), nearest[:, 1], nearest[:, 0])
    return torch.from_numpy(other).to(places.device)


def pairs_of(places: Tensor) -> Tensor:
    """A label (u,) for each of u different places (u, …): two that are each other's nearest have the same; each is alone where none are told."""
    alone = torch.arange(len(places), device=places.device)
    other = nearest_of(places)
    if other is None:
        return alone
    labels = torch.where(other[other] == alone, torch.minimum(alone, other), alone)
    return torch.unique(labels, return_inverse=True)[1]
