"""Conditioning: is it nonconvexity or ill-conditioning? The race, the loss plane, the directions and the isolation."""

from __future__ import annotations

from lsr_app import bench as laid_out
from lsr_app import controls, guards, racesection, show, texts
from lsr_core.storage.lab import LAB_KINDS

now = controls.now()
mode = show.mode()
if now.run is not None and now.run.manifest.kind in LAB_KINDS and now.status:
    show.heading(texts.PAGES["conditioning"][0], texts.LEADS["conditioning"])
else:
    guards.need_run("conditioning")
assert now.run is not None
OWN = {"race": "race", "plane": "plane", "isolate": "isolation"}  # the section that a run opens with
own = OWN.get(now.run.manifest.kind, "race")
part = controls.words("lab", "Part of the page", texts.LAB_SECTIONS, default=own)
bench = laid_out.find(now)
if part == "race":
    racesection.section(now, bench, mode)
