"""Streamlit's settings, all of which are ours: no file in the working or home folder and no variable changes one.

Besides settings, Streamlit reads secrets there, with which a file could set variables of this process and open a way to log in elsewhere.
"""

from __future__ import annotations

import os
from typing import Any

from lsr_app.plots import theme
from lsr_app.serve.order import Order
from lsr_app.serve.uploads import MEGABYTES


def settings(order: Order) -> dict[str, Any]:
    """What differs from Streamlit's defaults, or would matter if a default changed."""
    return {
        "server.address": order.host,
        "server.port": order.port,
        "server.headless": True,
        "server.baseUrlPath": "",
        "server.fileWatcherType": "none",
        "server.runOnSave": False,
        "server.allowRunOnSave": False,
        "server.enableCORS": True,
        "server.corsAllowedOrigins": [],
        "server.enableXsrfProtection": True,
        "server.xsrfCookieSameSite": "lax",  # a link from elsewhere must find the browser's runs
        "server.enableStaticServing": False,
        "server.enableAgentApi": False,
        "server.scriptHealthCheckEnabled": False,
        "server.enableWebsocketCompression": False,
        "server.trustedUserHeaders": {},
        "server.maxUploadSize": MEGABYTES,
        "server.disconnectedSessionTTL": 120,
        "browser.gatherUsageStats": False,
        "browser.serverAddress": order.host,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "viewer",
        "client.allowedOrigins": [],
        "global.developmentMode": False,
        "runner.magicEnabled": False,
        # a full collection after every script run takes 0.2 s with torch loaded; Python's own still happens
        "runner.postScriptGC": False,
        "secrets.files": [],
        **theme.settings(),
    }


def pin(order: Order) -> None:
    """Set them in this process, before Streamlit has looked for others.

    Raises:
        RuntimeError: a setting has come from somewhere else; the server must not start.
    """
    for name in [name for name in os.environ if name.upper().startswith(("STREAMLIT_", "UVICORN_", "WEBSOCKETS_"))]:
        del os.environ[name]
    from streamlit import config, net_util
    from streamlit.config_option import ConfigOption

    config.get_config_files = lambda file_name: []
    # Streamlit would ask a host on the internet, from the loop that serves all.
    net_util.get_external_ip = net_util.get_internal_ip = lambda: None
    ours = settings(order)
    found = config.get_config_options(force_reparse=True, options_from_flags=ours)
    for key, option in found.items():
        if key in ours:
            right = option.value == ours[key]
        else:
            right = option.where_defined == ConfigOption.DEFAULT_DEFINITION
        if not right:
            raise RuntimeError(f"the setting {key} is {option.value!r}, from {option.where_defined}")
    if missing := set(ours) - set(found):
        raise RuntimeError(f"this Streamlit has no setting {', '.join(sorted(missing))}")
