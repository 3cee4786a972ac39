"""Pairs of neighbouring samples, which are left out together: what they have in common, noise as well, is then not told from signal by itself."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

CLOSE = 0.5  # times the distance to any other: a pair that was measured together
MOST_INPUTS = 20  # beyond which a search tree finds neighbours no faster than by looking at all
MOST_PLACES = 3000  # that are looked at all


def nearest_of(places: Tensor) -> Tensor | None:
    """The nearest other one (u,) of each of u places (u, …), by inputs divided by their standard deviations.

    None where there are too few, or many of many inputs.
    """
    found = _nearest(places, 1)
    return None if found is None else torch.from_numpy(found[1][:, 0]).to(places.device)


def close_to(places: Tensor) -> Tensor | None:
    """The partner (u,) of each place that is at less than half the distance of both from any other one; −1 where there is none.

    None where none are told, or two places are one.
    """
    found = _nearest(places, 2)
    if found is None or found[0][:, 0].min() == 0:
        return None
    distances, others = found
    nearest = others[:, 0]
    next_one = np.minimum(distances[:, 1], distances[nearest, 1])
    close = (nearest[nearest] == np.arange(len(nearest))) & (distances[:, 0] < CLOSE * next_one)
    return torch.from_numpy(np.where(close, nearest, -1)).to(places.device)


def _nearest(places: Tensor, count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
    """Distances (u, count) and places of the nearest others; None where there are too few, or many of many inputs."""
    from scipy.spatial import cKDTree

    flat = places.flatten(1).double().cpu().numpy()
    if len(flat) <= count or (flat.shape[1] > MOST_INPUTS and len(flat) > MOST_PLACES):
        return None
    sizes = flat.std(axis=0)
    tree = cKDTree(flat / np.where(sizes > 0, sizes, 1.0))
    distances, nearest = tree.query(tree.data, k=count + 1)
    itself = nearest == np.arange(len(flat))[:, None]
    itself[~itself.any(axis=1), -1] = True  # one of several at the same place: the last counts as it
    others = ~itself
    return distances[others].reshape(-1, count), nearest[others].reshape(-1, count)


def pairs_of(places: Tensor) -> Tensor:
    """A label (u,) for each of u different places (u, …): two that are each other's nearest have the same; each is alone where none are told."""
    alone = torch.arange(len(places), device=places.device)
    other = nearest_of(places)
    if other is None:
        return alone
    labels = torch.where(other[other] == alone, torch.minimum(alone, other), alone)
    return torch.unique(labels, return_inverse=True)[1]
