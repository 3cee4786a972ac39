"""Hugging Face Hub: a refined predictor as safetensors with a card, pushed and pulled. Only the command line calls this."""

from __future__ import annotations

import tempfile
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from lsr_core.errors import InputError, LSRError
from lsr_core.integrations import told
from lsr_core.refinement.summary import Summary
from lsr_core.storage.bundles import copy_bundle
from lsr_core.storage.export import load_predictor
from lsr_core.storage.runs import Run

PREDICTOR, BUNDLE = "predictor.safetensors", "problem"
WANTED = [PREDICTOR, "README.md", "summary.json", f"{BUNDLE}/*"]


def push(run: Run, repository: str, *, private: bool = True, data: bool = False) -> str:
    """Make or update a repository with the refined predictor, its figures and a card.

    Args:
        run: complete, with a predictor.
        repository: `owner/name`.
        private: of a repository that is made by this.
        data: whether the bundle, with the data, goes too.

    Returns:
        Address of the commit.

    Raises:
        InputError: no such name, or the Hub refuses.
        LSRError: the Hub does not answer.
    """
    api = HfApi()
    with tempfile.TemporaryDirectory(prefix="lsr-hub-") as scratch:
        folder = Path(scratch)
        told.exported(run, "predictor", folder / PREDICTOR)
        (folder / "summary.json").write_text(run.summary.model_dump_json(indent=1), encoding="utf-8")
        (folder / "README.md").write_text(card(run.summary, data=data), encoding="utf-8")
        if data:
            copy_bundle(run.problem_path, folder / BUNDLE)
        try:
            api.create_repo(repository, private=private, exist_ok=True)
            made = api.upload_folder(
                repo_id=repository,
                folder_path=folder,
                commit_message=f"Refined predictor of {run.summary.problem[:80]}",
            )
        except Exception as error:
            raise _told(error, repository) from error
    return str(made.commit_url)


def pull(repository: str, folder: Path) -> Path:
    """Download a repository that `push` made, and check that its predictor can be read.

    Only the files that `push` writes are asked for, and nothing in them is executed.

    Args:
        folder: a new one.

    Returns:
        The file of the predictor.

    Raises:
        InputError: the folder is there, the repository is not, or holds no predictor.
        LSRError: the Hub does not answer.
    """
    if folder.exists():
        raise InputError("is there already; name a new folder", file=str(folder), key="out")
    try:
        HfApi().snapshot_download(repository, local_dir=folder, allow_patterns=WANTED)
    except Exception as error:
        raise _told(error, repository) from error
    if not (folder / PREDICTOR).is_file():
        raise InputError(f"has no {PREDICTOR}; it is none that `lsr push` made", key=repository[:100])
    try:
        load_predictor(folder / PREDICTOR)
    except InputError as error:
        if error.key != "model":  # one whose network is code comes with none
            raise
    return folder / PREDICTOR


def card(summary: Summary, *, data: bool) -> str:
    """A model card: the verdict, the figures, and how the file is used."""
    rows = [
        f"| {name.removeprefix(told.PREFIX + '/')} | {value:.6g} |" for name, value in told.figures(summary).items()
    ]
    what = "network, step Δθ and description" + ("; the folder `problem` is the bundle with its data" if data else "")
    return "\n".join(
        [
            "---", "library_name: lsr-explorer", "tags:", "- linearized-subspace-refinement", "- regression", "---", "",
            f"# {_plain(summary.problem)}, refined", "",
            "A trained network q(θ0, x) and a step Δθ in its parameters, found by one linear solve (linearized subspace refinement, "
            "Cao & Zhang 2026). What is predicted is q(θ0, x) + J(x) Δθ; the weights stay as they are.", "",
            "## Verdict", "", told.verdict(summary), "", "## Figures", "", "| figure | value |", "|---|---|", *rows, "",
            "## Use", "", f"`{PREDICTOR}`: {what}. Nothing in it is executed.", "",
            "```python", "import lsr_core", "", f'predictor = lsr_core.load_predictor("{PREDICTOR}")', "predictor.predict(inputs)", "```", "",
        ]
    )  # fmt: skip


def _plain(text: str) -> str:
    """A title without what Markdown or HTML would take for more."""
    return " ".join("".join(letter for letter in text if letter not in "<>[]`#|*\\").split())[:100]


def _told(error: Exception, repository: str) -> Exception:
    """What the library raised, as one of ours."""
    said = " ".join(str(error).split())[:200]
    if isinstance(error, HFValidationError):
        return InputError(f"is no name of a repository ({said}); write owner/name", key=repository[:100])
    if isinstance(error, HfHubHTTPError):
        return InputError(f"the Hub refuses ({said}); `hf auth login` says who you are", key=repository[:100])
    if isinstance(error, (LocalEntryNotFoundError, OSError)):
        return LSRError(f"the Hub does not answer ({said}); try again later")
    return error
