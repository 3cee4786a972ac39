"""Words of the page "Bring your own"."""

from __future__ import annotations

BUNDLE = (
    "A problem bundle is a zip of `problem.json`, `model.safetensors` and `data.npz`, such as the ones that can be downloaded "
    "on this page. Nothing in it is executed."
)
CHECKING = "Checking the bundle…"
YOURS = "Yours"
YOURS_LEAD = "Seen by this browser only, and deleted a few minutes after its last page is closed. Keep what you want to find again."
KEEP = "Keep"
KEPT = "Kept"
KEEP_HELP = "A kept problem stays on this machine, and so do the runs that are started with it from now on."
KEEP_RUN = "Keep this run"
KEEP_RUN_HELP = "It is made of something you brought, and goes when this browser is gone. A kept run opens by its link."
SESSION_ONLY = "yours, until you leave"


def bundle_label(megabytes: int) -> str:
    return f"A bundle, packed as a zip of at most {megabytes} MB"


def chosen(title: str) -> str:
    return f"“{title}” is filled into the form below, under “Refine a network”."


def cannot_keep(reason: str) -> str:
    """The disk refused."""
    return f"The file could not be kept on the server: {reason or 'no reason was given'}. Nothing of it is left."
