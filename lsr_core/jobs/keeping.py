"""The result of a refinement in this process as a complete run."""

from __future__ import annotations

import time
from pathlib import Path

from lsr_core.jobs.origin import environment
from lsr_core.jobs.refining import keep as write
from lsr_core.refinement.progress import silent
from lsr_core.refinement.refined import Refinement
from lsr_core.storage.bundles import save_problem
from lsr_core.storage.code_problems import of_session
from lsr_core.storage.records import Status
from lsr_core.storage.runs import Run, RunStore


def keep_result(refinement: Refinement, root: Path, owner: str) -> Run:
    """Write it into a folder of runs.

    A network of a registered architecture, or from a Python file, is stored so that the run can be made again; of others the figures are.

    Raises:
        InputError: the problem cannot be stored.
    """
    problem = refinement.problem
    store = RunStore(root)
    config = refinement.setting.config
    run = store.create(problem=problem.name, config=config, owner=owner, title=problem.title or problem.name)
    try:
        run.write_manifest(run.manifest.model_copy(update={"environment": environment()}))
        save_problem(run.problem_path, problem if problem.architecture is not None else of_session(problem))
        write(run, refinement, silent)
        run.write_status(Status(status="complete", stage="done", fraction=1.0, heartbeat=time.time()))
    except BaseException:
        store.delete(run)
        raise
    return run
