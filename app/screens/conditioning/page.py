"""Conditioning: is it nonconvexity or ill-conditioning? The race, the loss plane, the directions and the isolation."""

from __future__ import annotations

from lsr_app.screens.conditioning import SCREEN, directionsection, isolationsection, planesection, racesection
from lsr_app.shell import controls, guards, show
from lsr_app.shell.lab import bench as laid_out
from lsr_app.words import labtexts
from lsr_core.storage.lab import LAB_KINDS

now = controls.now()
kind = now.run.manifest.kind if now.run is not None and now.status else None
if kind in LAB_KINDS and kind != "cases":
    show.heading(SCREEN.title, SCREEN.lead)
else:
    guards.need_run(SCREEN)
assert now.run is not None
OWN = {"race": "race", "plane": "plane", "isolate": "isolation"}  # the section that a run opens with
own = OWN.get(now.run.manifest.kind, "race")
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
