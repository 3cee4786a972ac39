"""The forms in which a refined problem leaves, by name; each in a file of its own."""

from __future__ import annotations

from lsr_core.errors import InputError
from lsr_core.portable import aligned, onnx_model, predictor_file, pt2, python_module
from lsr_core.portable.form import Form

FORMS: dict[str, Form] = {
    form.name: form for form in (predictor_file.FORM, pt2.FORM, onnx_model.FORM, python_module.FORM, aligned.FORM)
}


def form_of(name: str) -> Form:
    """The form of that name.

    Raises:
        InputError: there is none.
    """
    if name not in FORMS:
        raise InputError(f"is {name[:40]!r}; give one of {', '.join(FORMS)}", key="format")
    return FORMS[name]


def standalone() -> list[str]:
    """Names of the forms that need nothing of this package, whose precision can be chosen."""
    return [name for name, form in FORMS.items() if form.standalone is not None]
