"""Refine a network: samples to choose from, and the form that starts a run."""

from __future__ import annotations

from lsr_app.screens.refine import SCREEN, refinetexts, startform
from lsr_app.shell import controls, show, wanted

now = controls.now()
retry = now.run is not None and now.status in ("failed", "cancelled")
lead = refinetexts.FORM_LEAD_RETRY if retry else refinetexts.FORM_LEAD_OWN if wanted.waits(now) else SCREEN.lead
show.heading("Try again" if retry else SCREEN.title, lead)
startform.section(now)
