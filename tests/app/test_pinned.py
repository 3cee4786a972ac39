"""Streamlit's settings are the product's: files in the working and home folder and variables change none, and set nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit")
from streamlit import config

SEEN = """
import json, os
from lsr_app.serve import settings
from lsr_app.serve.order import Order
settings.pin(Order("127.0.0.1", 8501))
from streamlit import config
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server import server_util
found = {key: repr(config.get_option(key)) for key in config._config_options_template}
found["server.cookieSecret"] = len(config.get_option("server.cookieSecret"))  # random, so only its length is told
found["secrets"] = secrets_singleton.load_if_toml_exists()
found["variable"] = os.environ.get("LSR_RUNS_PLANTED")
found["origins"] = [server_util.is_url_from_allowed_origins(url) for url in ("http://evil.com", "http://127.0.0.1")]
print(json.dumps(found))
"""
# Without a value of its own here an option gets one by its type.
HOSTILE: dict[str, Any] = {
    "server.corsAllowedOrigins": ["http://evil.com"],
    "client.allowedOrigins": ["http://evil.com"],
    "server.address": "0.0.0.0",
    "browser.serverAddress": "evil.com",
    "client.showErrorDetails": "full",
    "client.toolbarMode": "developer",
    "server.fileWatcherType": "poll",
    "server.xsrfCookieSameSite": "none",
    "server.cookieSecret": "known to the attacker",
    "server.trustedUserHeaders": '{"x-user": "email"}',
    "theme.base": "http://192.0.2.1/theme.toml",
    "logger.level": "debug",
}


def hostile() -> dict[str, Any]:
    """Every option of this Streamlit with another value than its default."""
    made = {}
    for key, option in config._config_options_template.items():
        if key in HOSTILE:
            made[key] = HOSTILE[key]
        elif option.type is bool or isinstance(option.default_val, bool):
            made[key] = not option.default_val
        elif isinstance(option.default_val, int):
            made[key] = option.default_val + 7
        elif option.multiple:
            made[key] = ["planted"]
        else:
            made[key] = "planted"
    return made


def toml(values: dict[str, Any]) -> str:
    sections: dict[str, list[str]] = {}
    for key, value in values.items():
        section, name = key.rsplit(".", 1)
        sections.setdefault(section, []).append(f"{name} = {json.dumps(value)}")
    return "\n".join(f"[{section}]\n" + "\n".join(lines) for section, lines in sections.items())


def seen(folder: Path, **variables: str) -> dict[str, Any]:
    """The settings of a server process that is started in `folder`."""
    result = subprocess.run(
        [sys.executable, "-P", "-c", SEEN],
        cwd=folder,
        env={**os.environ, "HOME": str(folder / "home"), "USERPROFILE": str(folder / "home"), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def plant(folder: Path, text: str) -> None:
    (folder / ".streamlit").mkdir(parents=True)
    (folder / ".streamlit" / "config.toml").write_text(text)
    (folder / ".streamlit" / "secrets.toml").write_text(
        'LSR_RUNS_PLANTED = "/tmp"\n[auth]\nredirect_uri = "http://evil.com"\ncookie_secret = "x"\nclient_id = "x"\n'
    )


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return seen(tmp_path_factory.mktemp("clean"))


def test_what_lies_in_a_folder_or_the_environment_changes_nothing(clean: dict[str, Any], tmp_path: Path) -> None:
    planted = hostile()
    assert len(planted) > 100
    plant(tmp_path, toml(planted))
    plant(tmp_path / "home", toml(planted))
    variables = {
        f"STREAMLIT_{''.join('_' + c if c.isupper() else c for c in key).replace('.', '_').upper()}": json.dumps(value).strip('"[]')
        for key, value in planted.items()
    }  # fmt: skip
    assert "STREAMLIT_SERVER_CORS_ALLOWED_ORIGINS" in variables
    assert seen(tmp_path, **variables) == clean


def test_a_file_that_cannot_be_read_changes_nothing_either(clean: dict[str, Any], tmp_path: Path) -> None:
    plant(tmp_path, "[server\nport = ")
    assert seen(tmp_path) == clean


def test_the_settings_are_those_meant(clean: dict[str, Any]) -> None:
    for key, value in (
        ("server.enableCORS", True), ("server.enableXsrfProtection", True), ("server.corsAllowedOrigins", []),
        ("server.enableAgentApi", False), ("server.enableStaticServing", False), ("server.headless", True),
        ("server.fileWatcherType", "none"), ("server.runOnSave", False), ("browser.gatherUsageStats", False),
        ("client.showErrorDetails", "none"), ("client.allowedOrigins", []), ("global.developmentMode", False),
        ("secrets.files", []), ("server.address", "127.0.0.1"), ("server.port", 8501), ("runner.magicEnabled", False),
    ):  # fmt: skip
        assert clean[key] == repr(value), key
    assert clean["secrets"] is False
    assert clean["origins"] == [False, True]


def test_a_setting_from_elsewhere_stops_the_start() -> None:
    """Should a later Streamlit read files by another way."""
    script = (
        "from lsr_app.serve import settings; from lsr_app.serve.order import Order; from streamlit import config;"
        "old = config.get_config_options\n"
        "def other(**more):\n  found = old(**more); found['server.maxMessageSize'].set_value(9, 'a file'); return found\n"
        "config.get_config_options = other; settings.pin(Order('127.0.0.1', 1))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "RuntimeError: the setting server.maxMessageSize is 9" in result.stderr


def test_modules_in_the_working_folder_are_not_the_product_s(tmp_path: Path) -> None:
    from lsr_app.serve.order import Order, start

    for name in ("torch", "streamlit", "uvicorn", "lsr_core"):
        (tmp_path / f"{name}.py").write_text("open('taken', 'w')")
    server = start(Order("127.0.0.1", 0), dict(os.environ), cwd=tmp_path, stderr=subprocess.PIPE)
    _, said = server.communicate(timeout=60)  # which closes its input
    assert not (tmp_path / "taken").exists()
    assert b"Error" not in said
