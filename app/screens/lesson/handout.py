"""The lesson as a page to print: the reader's predictions beside what was measured, without a name."""

from __future__ import annotations

from collections.abc import Mapping

from lsr_app.screens.lesson import lessontexts as words
from lsr_app.screens.lesson.classroom import Said
from lsr_app.screens.lesson.lessonsteps import Answer
from lsr_app.screens.lesson.lessontexts import Asked
from lsr_app.words import formats

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.6rem} h2{font-size:1.15rem;margin:1.6rem 0 .2rem} p{margin:.3rem 0} .task,footer{color:#57606a}
dl{display:grid;grid-template-columns:8rem 1fr;gap:.15rem 1rem;margin:.5rem 0} dt{color:#57606a} dd{margin:0;font-weight:600}
section{break-inside:avoid} footer{margin-top:2rem;border-top:1px solid #d0d7de;padding-top:.5rem}
"""


def page(told: Mapping[str, tuple[Asked, Said, Answer]]) -> bytes:
    """An HTML page of its own, of the questions that were answered, in their order."""
    body = "".join(_section(question, said, answer) for question, said, answer in told.values())
    right = sum(said.guess == answer.option for _, said, answer in told.values())
    lead = words.handout_lead(len(told), right)
    text = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<meta name='viewport' content='width=device-width'><title>{formats.page(words.HANDOUT_TITLE)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{formats.page(words.HANDOUT_TITLE)}</h1><p>{formats.page(lead)}</p>{body}</main>"
        f"<footer>{formats.page(words.HANDOUT_NOTE)}</footer></body></html>"
    )
    return text.encode("utf-8")


def _section(question: Asked, said: Said, answer: Answer) -> str:
    return (
        f"<section><h2>{formats.page(question.title)}</h2><p class='task'>{formats.page(question.task)}</p>"
        f"<p>{formats.page(question.question)}</p>"
        f"<dl><dt>{words.PREDICTED}</dt><dd>{formats.page(question.options[said.guess])}</dd>"
        f"<dt>{words.MEASURED}</dt><dd>{formats.page(question.options[answer.option])}</dd></dl>"
        f"<p>{formats.page(answer.sentence)}</p><p><b>{formats.page(question.conclusions[answer.option])}</b></p></section>"
    )
