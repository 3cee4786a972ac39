"""Where the trunk of an operator is asked: an array of the data, or a regular grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from lsr_app.screens.bring import bringtexts, uploads

if TYPE_CHECKING:
    from lsr_core.intake.arrays import ArrayInfo
    from lsr_core.intake.guess import Guess


def at_points(prefix: str, found: Guess, data: Any, infos: Sequence[ArrayInfo], width: int) -> Guess:
    """The guess with the points of its trunk, where it needs some.

    Args:
        width: values of one row of outputs.

    Raises:
        InputError: the outputs are no whole number at each point.
    """
    if found.architecture != "deeponet-points":
        return found
    import torch

    from lsr_core.intake import branches, suggest

    count, coordinates = branches.places(found, width), found.arguments["trunk"][0]
    offered = suggest.trunks(infos, count, coordinates)
    key = f"{prefix}_points_of_trunk"
    st.session_state.setdefault(key, [*offered, bringtexts.REGULAR][0])
    chosen = st.selectbox(
        bringtexts.POINTS, [*offered, bringtexts.REGULAR], key=key, help=bringtexts.HELP["points"], width=420
    )
    if chosen == bringtexts.REGULAR:
        return branches.with_points(found, branches.regular(count, coordinates))
    points = np.asarray(uploads.arrays(data, [chosen])[chosen], dtype=np.float64).reshape(count, coordinates)
    return branches.with_points(found, torch.from_numpy(points))
