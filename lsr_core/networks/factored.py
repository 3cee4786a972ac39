"""Products with the Jacobian from the uses of the parameters: images of factored directions without rows, and rows."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from lsr_core.networks.directions import FactoredDirections
from lsr_core.networks.footprints import footprint, samples_within
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import BLOCK_BYTES, RowJacobian
from lsr_core.networks.rest_rows import rest_images, rest_rows
from lsr_core.networks.uses.factors import Factors
from lsr_core.networks.uses.network import UsedNetwork
from lsr_core.networks.uses.search import FEWEST

TOGETHER = 512  # samples whose uses are recorded together at most: what the caches hold of narrow layers
RECORD_BYTES = 128 * 2**20  # of them otherwise
PRODUCTS = 3  # of the numbers of directions at every place that are held at a time


class FactoredJacobian(RowJacobian):
    """J by the uses of the parameters; what has no rule is taken by rows of its own, or by forward mode where these would be long."""

    function: ParametricFunction

    def __init__(
        self,
        function: ParametricFunction,
        inputs: Tensor,
        n_outputs: int,
        *,
        network: UsedNetwork,
        block_bytes: int = BLOCK_BYTES,
        keep: bool = False,
    ) -> None:
        super().__init__(function, inputs, n_outputs, block_bytes=block_bytes, keep=keep)
        self.network = network

    def times(self, *many: FactoredDirections) -> Tensor:
        """J Ω for several sets of directions, side by side, (n·o, Σ p)."""
        count = sum(directions.count for directions in many)
        image = self.function.theta0.new_zeros(len(self.inputs), self.n_outputs, count)
        for where in self._parts_of(self.inputs, PRODUCTS * self.network.places * count):
            place, part = 0, self.inputs[where]

            def add(factors: Factors, out: Tensor) -> None:
                start = 0
                for directions in many:
                    factors.add_images(directions, out[:, :, start : (start := start + directions.count)])

            self._record(part, image[where], add)
            for directions in many if self.network.rest else ():
                columns = slice(place, place := place + directions.count)
                found = rest_images(self.function, self.network.rest, part, directions)
                image[where][:, :, columns] += found.view(len(part), self.n_outputs, -1)
        return image.flatten(0, 1)

    def rows_at(self, inputs: Tensor) -> Tensor:
        function = self.network.function
        entries = sum(shape.numel() for shape in function.shapes.values())
        rows = function.theta0.new_empty(len(inputs), self.n_outputs, self.shape[1])
        picked = function.picked
        for where in self._parts_of(inputs, 2 * entries * self.n_outputs if picked is not None else 0):
            part, out = inputs[where], rows[where]
            whole = out if picked is None else out.new_empty(len(part), self.n_outputs, entries)
            self._record(part, whole, lambda factors, some: factors.write_rows(function, some))
            if self.network.rest:
                self._write_rest(part, whole)
            if picked is not None:
                out.copy_(whole[:, :, picked])
        return rows.flatten(0, 1)

    def _record(self, inputs: Tensor, out: Tensor, use: Callable[[Factors, Tensor], None]) -> None:
        """Go through the uses at some samples, output by output, with what is made of them (n, o, k)."""
        room = out if len(inputs) >= FEWEST else out.new_zeros(FEWEST, *out.shape[1:])
        for outputs, factors in self.network.capture(inputs):
            use(factors, room[:, outputs])
        if room is not out:
            out.copy_(room[: len(inputs)])

    def _write_rest(self, inputs: Tensor, rows: Tensor) -> None:
        found, start = rest_rows(self.network.function, self.network.rest, inputs), 0
        for name in self.network.rest:
            columns = self.network.function.columns[name]
            width = columns.stop - columns.start
            rows[:, :, columns] = found[:, start : (start := start + width)].view(*rows.shape[:2], width)

    def _parts_of(self, inputs: Tensor, beside: int) -> list[slice]:
        """Samples that are recorded together, where each takes so many numbers beside its record."""
        network = self.network
        taken = footprint(network.function, inputs).kept + (2 * network.signals + beside) * self.dtype.itemsize
        size = samples_within(RECORD_BYTES, taken, TOGETHER)
        return [slice(start, min(start + size, len(inputs))) for start in range(0, len(inputs), size)]
