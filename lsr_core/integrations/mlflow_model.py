"""The refined predictor as a model of MLflow: this file goes with it and imports nothing of this package."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import mlflow
import numpy as np


class Predictor(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]  # no types where the library is not installed
    """q(θ0, x) + J(x) Δθ by the module `predictor.py` of an export."""

    def load_context(self, context: Any) -> None:
        """Unpack the export and load it."""
        self.folder = tempfile.TemporaryDirectory(prefix="lsr-model-")
        with zipfile.ZipFile(context.artifacts["predictor"]) as archive:
            archive.extractall(self.folder.name)
        spec = importlib.util.spec_from_file_location("lsr_exported_predictor", Path(self.folder.name) / "predictor.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        self.network = module.load()

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]  # MLflow checks inputs against types
        """Outputs (n, …) of an array or a table (n, …)."""
        found = self.network(np.asarray(model_input))
        return np.asarray(found.detach() if hasattr(found, "detach") else found)


mlflow.models.set_model(Predictor())
