"""Problems made by code, as bundles: the code's copy with its digest, and beside it the weights and data that it gave.

The code is executed again to have the network's class and the residuals; weights, points and data are those that were stored, so
that a run means the same tomorrow.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, cast

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from lsr_core.errors import CodeError, InputError
from lsr_core.networks.answers import check_answer
from lsr_core.networks.copies import scalars
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Architecture
from lsr_core.storage import code, inside, programs
from lsr_core.storage.bundle_schema import Name, ProblemDescription
from lsr_core.storage.kinds import problem_classes, storing
from lsr_core.storage.weights import check_finite, check_same_names, load_network
from lsr_core.validation import checked

SAME_AT = 64  # samples at which a network is compared with the one that its name and arguments build
_made: dict[tuple[str, str], Problem] = {}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OwnCode(_Part):
    """Arguments of a network that comes from code."""

    file: Name = Field(description="what it was called")
    function: str = Field(max_length=200)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    parameters: int = Field(ge=0, description="how many scalars require a gradient")


def from_file(text: str) -> Problem:
    """The problem that `my_problem.py`, `my_problem.py:function` or `package.module:function` makes; the code is executed.

    Raises:
        InputError: there is no such file.
        CodeError: what it raised, with file and line, or what is missing in what it returned.
    """
    named, function, data = code.name_file(text)
    return _remembered(Path(named.path).name, function, data, named)


def _remembered(file: str, function: str, data: bytes, named: code.Named) -> Problem:
    """What a function returns, called once in a process: it may read data or draw weights."""
    key = (code.digest_of(data), function)
    return (
        _made[key] if key in _made else remember("python-file", file, function, data, code.call(data, named, function))
    )


def remember(kind: code.CodeKind, file: str, function: str, data: bytes, made: object) -> Problem:
    """Checked, and with what its copy will be found by as its architecture, unless a bundle can do without the code."""
    problem = _checked(made, file, function)
    digest = code.digest_of(data)
    if not needs_no_code(problem):
        count = sum(scalars(value) for value in problem.model.parameters() if value.requires_grad)
        about = OwnCode(file=file[:100], function=function, sha256=digest, parameters=count)
        problem = problem.changed(architecture=Architecture(kind, about.model_dump()))
    _made.clear()  # one problem is enough for a process, and some are large
    _made[digest, function] = problem
    return problem


def needs_no_code(problem: Problem) -> bool:
    """Whether a bundle without code says all of a problem: its network is one that is built by name, unchanged."""
    known, model = problem.architecture, problem.model
    if known is None or known.name in code.COPIES:
        return False
    state = {name: value.detach() for name, value in model.state_dict().items()}
    try:
        again = load_network(known.name, known.arguments, state, next(model.parameters()).dtype, "model")
    except (InputError, StopIteration):
        return False
    free = [[value.requires_grad for value in one.parameters()] for one in (model, again)]
    rows = problem.fitted_inputs()[:SAME_AT]
    with torch.no_grad():
        same = type(model) is type(again) and free[0] == free[1] and torch.equal(model(rows), again(rows))
    return same and storing(problem.kind).says_all(problem)


def _checked(made: object, file: str, function: str) -> Problem:
    classes = problem_classes()
    if type(made) not in classes:
        raise CodeError(
            f"returned {type(made).__name__}; expected one of {', '.join(each.__name__ for each in classes)}",
            file=file, key=function,
        )  # fmt: skip
    problem = cast(Problem, made)
    if not isinstance(problem.model, nn.Module):
        raise CodeError(f"the model is {type(problem.model).__name__}, not a torch.nn.Module", file=file, key=function)
    problem.model.eval().cpu()
    _check_answer(problem, file, function)
    return problem


def _check_answer(problem: Problem, file: str, function: str) -> None:
    """The network must take rows of the data and give rows of the right shape."""
    rows, shape = problem.fitted_inputs()[:2], problem.output_shape
    try:
        check_answer(problem.model, rows, shape)
    except InputError as error:
        raise CodeError(error.message, file=file, key=function) from error
    except Exception as error:  # whatever a network's own code raises
        raise code.located(error) or CodeError(
            f"the network does not take rows of the shape {tuple(rows.shape[1:])}: {type(error).__name__}: {' '.join(str(error).split())[:300]}",
            file=file, key=function,
        ) from error  # fmt: skip


def of_session(problem: Problem) -> Problem:
    """The problem as one whose code is in this Python session only; a run of it has figures and cannot be rebuilt."""
    count = sum(scalars(value) for value in problem.model.parameters() if value.requires_grad)
    about = OwnCode(file="a Python session", function="", sha256="0" * 64, parameters=count)
    return problem.changed(architecture=Architecture("python-session", about.model_dump()))


def is_code(description: ProblemDescription) -> bool:
    """Whether a bundle's network comes from code of its own."""
    return description.network.architecture in code.COPIES


def about_code(description: ProblemDescription) -> OwnCode:
    """Which code; raises InputError where that is not said well."""
    return checked(OwnCode, description.network.arguments)


def withheld(description: ProblemDescription) -> str:
    """Why the network cannot be had again in this process, or empty. Raises InputError as `about_code`."""
    if not is_code(description):
        return ""
    kind, about = description.network.architecture, about_code(description)
    if kind == "python-session":
        return (
            "this problem was made in a Python session, and its code is not kept, so only what is stored can be shown; "
            "write the problem into a file, `lsr refine my_problem.py`, for a run that can be made again"
        )
    if code.trusted(about.sha256) is not None:
        return ""
    return (
        f"this problem is made by code ({about.file}, kept beside its data as {code.COPIES[kind]}), which is executed only if you say so: "
        "look at the file, then give the run or bundle to the command line with --trust"
    )


def load(description: ProblemDescription, folder: Path, data: str, tensors: dict[str, Tensor]) -> Problem:
    """The problem again: the code executed if that is allowed here, weights and data from the bundle.

    Raises:
        InputError: the code was not named on this machine; or something does not fit.
    """
    kind, about = description.network.architecture, about_code(description)
    if reason := withheld(description):
        raise InputError(reason, file="" if kind == "python-session" else about.file)
    copied = folder / code.COPIES[kind]
    named = code.trusted(about.sha256)
    assert named is not None
    content = inside.read(copied, programs.MAX_BYTES)
    if code.digest_of(content) != about.sha256:
        raise InputError("is not the code that the problem was made by; its SHA-256 is another", file=copied.name)
    common: dict[str, Any] = {
        "name": description.name, "title": description.title, "description": description.description,
        "architecture": Architecture(kind, dict(description.network.arguments)),
    }  # fmt: skip
    if kind == "torch-program":
        made, model = None, programs.from_bytes(content, about.file)
    else:
        made = _remembered(about.file, about.function, content, named)
        model = copy.deepcopy(made.model)
    common["model"] = _filled(model, tensors)
    return storing(description.kind).read_made(description, made, common, folder / data)


def _filled(model: nn.Module, tensors: dict[str, Tensor]) -> nn.Module:
    """Stored weights in the network; parameters that are shared or held fast stay so."""
    expected = model.state_dict()
    check_same_names(expected, tensors, "model.safetensors")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            raise InputError(
                f"has the shape {tuple(tensor.shape)}, the network needs {tuple(expected[name].shape)}",
                file="model.safetensors", key=name,
            )  # fmt: skip
        check_finite(tensor, "model.safetensors", name)
    model.load_state_dict(tensors)
    return model.eval()


def copy_code(problem: Problem, folder: Path) -> list[str]:
    """Put the code of a problem beside its data; returns the name of the copy, nothing for other problems.

    Raises:
        InputError: the file has changed since it was executed.
    """
    architecture = problem.architecture
    if architecture is None or not code.COPIES.get(architecture.name):
        return []
    about = checked(OwnCode, architecture.arguments)
    named = code.trusted(about.sha256)
    content = b"" if named is None else _bytes_of(Path(named.path))
    if code.digest_of(content) != about.sha256:
        raise InputError("was changed or removed while it was at work; start again", file=about.file)
    name = code.COPIES[architecture.name]
    (folder / name).write_bytes(content)  # a folder that was made for this bundle
    return [name]


def _bytes_of(path: Path) -> bytes:
    try:
        return code.read_code(path, path.name, programs.MAX_BYTES)
    except InputError:
        return b""
