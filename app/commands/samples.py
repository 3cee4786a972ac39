"""`lsr samples`: the problems that come with the product."""

from __future__ import annotations

from lsr_app.commands.common import JsonOption, RunsOption, emit


def samples(runs: RunsOption = None, json: JsonOption = False) -> None:
    """List the sample problems."""
    from lsr_core.storage.bundles import bundle_folder, parameter_count, read_description, sample_names

    found = []
    for name in sample_names():
        with bundle_folder(name) as folder:
            about = read_description(folder)
        network = about.network
        count = parameter_count(about)
        found.append(
            {
                "name": name,
                "title": about.title,
                "description": about.description,
                "architecture": network.architecture,
                "n_params": count,
                "dtype": about.dtype,
                "folder": str(folder),
            }
        )
    width = max((len(name) for name in sample_names()), default=0) + 2
    lines = [f"{sample['name']:<{width}}{sample['n_params']:>10,} parameters  {sample['title']}" for sample in found]
    emit({"samples": found}, "\n".join(lines) or "no samples are installed", json)
