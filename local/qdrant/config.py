"""Configuration as the real Qdrant reads it (its src/settings.rs, `Settings::new`): later sources win.

1. built-in defaults   2. config/config   3. config/$RUN_MODE   4. config/local   5. QDRANT__SECTION__KEY
Paths are relative to the working directory, /qdrant in the image; files may be .yaml, .yml or .json. Only the settings
below are used; the others of the real server are read and ignored.
"""
import os
from pathlib import Path

import yaml

DEFAULTS = {
    "service": {"host": "0.0.0.0", "http_port": 6333, "api_key": None, "alt_api_key": None, "max_request_size_mb": 32},
    "storage": {"storage_path": "./storage", "snapshots_path": "./snapshots"},
}


def load(environment=os.environ):
    """The merged settings. Raises ValueError for a file that is no mapping, yaml.YAMLError for one that is no YAML."""
    settings = {section: dict(values) for section, values in DEFAULTS.items()}
    for name in ("config", environment.get("RUN_MODE", "development"), "local"):
        for path in (Path("config") / f"{name}{ending}" for ending in (".yaml", ".yml", ".json")):
            if path.is_file():
                _merge(settings, _parse(path))
    for name, value in environment.items():
        section, _, key = name.removeprefix("QDRANT__").lower().partition("__")
        if name.startswith("QDRANT__") and key:
            settings.setdefault(section, {})[key] = value
    return settings


def _parse(path):
    parsed = yaml.safe_load(path.read_text()) or {}
    if not isinstance(parsed, dict):
        raise ValueError(f"{path}: not a mapping")
    return parsed


def _merge(into, other):
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
