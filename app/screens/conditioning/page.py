"""Conditioning: is it nonconvexity or ill-conditioning? The race, the loss plane, the directions and the isolation."""

from __future__ import annotations

from lsr_app.reading import runkinds
from lsr_app.screens.conditioning import SCREEN, directionsection, isolationsection, planesection, racesection
from lsr_app.shell import controls, guards, show
from lsr_app.shell.lab import bench as laid_out
from lsr_app.words import labtexts

now = controls.now()
kind = runkinds.of(now.run.manifest) if now.run is not None and now.status else None
if kind is not None and kind.experiment and kind.page:
    show.heading(SCREEN.title, SCREEN.lead)
else:
    guards.need_run(SCREEN)
own = (
    kind.part if kind is not None and kind.part in labtexts.LAB_SECTIONS else "race"
)  # the section that a run opens with
part = controls.words("lab", "Part of the page", labtexts.LAB_SECTIONS, default=own)
bench = laid_out.find(now)
if part == "race":
    racesection.section(now, bench)
elif part == "plane":
    planesection.section(now, bench)
elif part == "directions":
    directionsection.section(bench)
else:
    isolationsection.section(now, bench)
