"""Derivatives of composed functions and of products, of any order, mixed or not.

A derivative is named by the variables it is taken by, in rising order with repetition: () is the value, (0, 0, 1) is ∂³/∂x₀²∂x₁. The terms of
the chain rule are those of Faà di Bruno for several variables (Hardy 2006), found once for each derivative by differentiating term by term.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import combinations

from torch import Tensor

By = tuple[int, ...]
Term = tuple[int, tuple[By, ...]]  # order of the outer derivative, and the inner ones that it is multiplied by


def closed(asked: Iterable[By]) -> tuple[By, ...]:
    """All derivatives that those asked for are made of, by order; the value comes first, unmixed orders before mixed ones."""
    found = {part for by in asked for size in range(len(by) + 1) for part in combinations(sorted(by), size)}
    return tuple(sorted({(), *found}, key=lambda by: (len(by), len(set(by)) > 1, by)))


@lru_cache(maxsize=512)
def chain_terms(by: By) -> tuple[tuple[Term, int], ...]:
    """Terms of ∂_by σ(z(x)) with how often each stands in the sum; those of high outer order first."""
    terms: Counter[Term] = Counter({(0, ()): 1})
    for variable in by:
        grown: Counter[Term] = Counter()
        for (order, inner), count in terms.items():
            grown[order + 1, tuple(sorted([*inner, (variable,)]))] += count
            for place, one in enumerate(inner):
                raised = (*inner[:place], tuple(sorted([*one, variable])), *inner[place + 1 :])
                grown[order, tuple(sorted(raised))] += count
        terms = grown
    return tuple(sorted(terms.items(), reverse=True))


def composed(outer: Sequence[Tensor], inner: Mapping[By, Tensor], by: By) -> Tensor:
    """∂_by σ(z), from σ, σ′, σ″, … at z and the derivatives of z."""
    total = None
    for (order, factors), count in chain_terms(by):
        term = outer[order]
        squared = len(factors) == 2 and factors[0] == factors[1]
        for factor in [inner[factors[0]].square()] if squared else [inner[one] for one in factors]:
            term = term * factor
        term = count * term if count > 1 else term
        total = term if total is None else total + term
    assert total is not None
    return total


@lru_cache(maxsize=512)
def product_terms(by: By) -> tuple[tuple[By, By, int], ...]:
    """Terms (first, second, count) of ∂_by (f g), those that differentiate f most first."""
    terms: Counter[tuple[By, By]] = Counter()
    places = range(len(by))
    for size in reversed(range(len(by) + 1)):
        for chosen in combinations(places, size):
            terms[tuple(by[i] for i in chosen), tuple(by[i] for i in places if i not in chosen)] += 1
    return tuple((first, second, count) for (first, second), count in terms.items())


def multiplied(one: Mapping[By, Tensor], other: Mapping[By, Tensor], by: By) -> Tensor:
    """∂_by of a product, from the derivatives of its factors."""
    total = None
    for first, second, count in product_terms(by):
        term = (count * one[first] if count > 1 else one[first]) * other[second]
        total = term if total is None else total + term
    assert total is not None
    return total
