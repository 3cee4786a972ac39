"""The grammar of typed expressions: numbers, names, + − * / **, parentheses, listed functions of one argument, and operators."""

from __future__ import annotations

import ast
import difflib
import keyword
import re
from collections.abc import Collection, Iterable

from lsr_core.errors import InputError

MAX_LENGTH = 500  # characters of an expression
MAX_SHAPE = 4000  # of a shape, which may have many corners
MAX_DEPTH = 30  # of operations inside one another
MAX_TERMS = 100  # in a row, as in a long sum
MAX_EXPONENT = 20.0  # beyond it a power over- or underflows long before it is of use
ALLOWED = re.compile(r"[A-Za-z0-9_+\-*/().,= \t]")
PASTED = str.maketrans(
    {"^": "**", "\N{MINUS SIGN}": "-", "\N{MIDDLE DOT}": "*", "\N{MULTIPLICATION SIGN}": "*"}
)  # as papers print them
DERIVATIVES = "'\N{PRIME}\N{PARTIAL DIFFERENTIAL}"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,11}")
NUMBERS = ("pi", "e")
FUNCTIONS = (
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
    "exp", "log", "sqrt", "abs", "sign", "step", "erf", "sigmoid",
)  # fmt: skip
OPERATORS = ("dx", "laplace", "div", "grad", "dot", "vec", "dn", "integral")  # of several arguments; see `calculus`
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub, ast.UAdd)
_REFUSED = {
    ast.Attribute: "a dot after a name has no meaning here; dots are for decimal numbers",
    ast.Tuple: "there is one expression too many; write one, without a comma",
    ast.Compare: "comparisons are not part of the grammar; step(x) is 0 below zero and 1 above",
    ast.FloorDiv: "// is not part of the grammar; write / for a quotient",
    ast.keyword: "functions take one argument without a name",
    ast.Starred: "a star stands between two factors",
}


def tree_of(text: str, key: str) -> ast.expr:
    """The syntax tree of one expression; `^` is a power, and `left = right` means left − right.

    Only the form is checked: which nodes there are, how long and how deep. `checked_names` looks at the names.

    Raises:
        InputError: what is not part of the grammar, with the sign or the word at fault.
    """
    plain = _plain(text, key)
    sides = plain.split("=")
    if len(sides) > 2:
        raise InputError("there is more than one equals sign; write one equation in a row", key=key)
    if any(not side.strip() for side in sides):
        raise InputError("nothing stands on one side of the equals sign", key=key)
    trees = [_side(side.strip(), key) for side in sides]
    return trees[0] if len(trees) == 1 else ast.BinOp(trees[0], ast.Sub(), trees[1])


def shape_tree(text: str, key: str, functions: Collection[str]) -> ast.expr:
    """The tree of an expression whose functions are others and take any number of arguments.

    Raises:
        InputError: what is not part of the grammar.
    """
    return _side(_plain(text, key, MAX_SHAPE), key, functions)


def pieces(text: str) -> list[str]:
    """What commas separate that stand in no parentheses."""
    found, depth = [""], 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            found.append("")
        else:
            found[-1] += sign
    return [piece.strip() for piece in found if piece.strip()]


def names_in(tree: ast.expr) -> list[str]:
    """Names of values, each once, in the order in which they appear; functions are none."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called]
    return list(dict.fromkeys(found))


def checked_name(name: str, what: str, key: str, taken: Iterable[str] = ()) -> None:
    """Refuse names that cannot be told apart in an expression.

    Raises:
        InputError: saying what a name may look like.
    """
    if not NAME.fullmatch(name):
        raise InputError(
            f"{name!r:.40} cannot name {what}; use a letter, then letters and digits, at most 12 in all", key=key
        )
    if name in FUNCTIONS or name in NUMBERS or keyword.iskeyword(name):
        raise InputError(f"{name!r} has a meaning of its own already; give {what} another name", key=key)
    if name in taken:
        raise InputError(f"{name!r} names two things; give each its own name", key=key)


def nearest(name: str, known: Collection[str]) -> str:
    """A hint at the known name that was probably meant, then all of them."""
    close = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{hint}known here: {', '.join(dict.fromkeys(known))}"


def _plain(text: str, key: str, most: int = MAX_LENGTH) -> str:
    if len(text) > most:
        raise InputError(f"has {len(text):,} characters; at most {most:,} are read, use constants to shorten it", key=key)  # fmt: skip
    plain = text.translate(PASTED).strip()
    if not plain:
        raise InputError("is empty; write an expression such as u_xx + u_yy", key=key)
    for sign in plain:
        if not ALLOWED.fullmatch(sign):
            written = "; write derivatives as u_x, u_xx, u_t" if sign in DERIVATIVES else ""
            raise InputError(
                f"the sign {sign!r} is not part of the grammar, which has letters, digits and + - * / ^ ( ) . ={written}",
                key=key,
            )
    return plain


def _side(text: str, key: str, functions: Collection[str] | None = None) -> ast.expr:
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        at = (error.offset if isinstance(error, SyntaxError) else 0) or 0
        where = f" near {text[max(0, at - 6) : at + 6]!r}" if at else ""
        many = "there are too many parentheses inside one another"
        reason = many if "too many nested" in str(error) else "cannot be read"
        raise InputError(f"{reason}{where}; check parentheses and signs, and write a product as 2*x", key=key) from None
    _check(tree, 0, 0, key, functions)
    return tree


def _check(node: ast.AST, depth: int, terms: int, key: str, functions: Collection[str] | None) -> None:
    """Walk a tree and stop at the first node that is not part of the grammar."""
    if terms > MAX_TERMS:
        raise InputError(f"more than {MAX_TERMS} terms or factors stand in a row; use constants to shorten it", key=key)
    if depth > MAX_DEPTH:
        raise InputError(f"more than {MAX_DEPTH} operations stand inside one another; split it up or use constants", key=key)  # fmt: skip
    inside: list[ast.AST]
    if isinstance(node, ast.Constant):
        if type(node.value) not in (int, float):
            raise InputError(f"{node.value!r:.40} is no real number", key=key)
        inside = []
    elif isinstance(node, ast.Name):
        inside = []
    elif isinstance(node, (ast.BinOp, ast.UnaryOp)) and isinstance(node.op, _OPERATORS):
        inside = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.operand]
    elif isinstance(node, ast.Call):
        inside = _argument(node, key, functions)
    else:
        culprit = getattr(node, "op", node)
        raise InputError(
            _REFUSED.get(type(culprit), f"{type(culprit).__name__.lower()} is not part of the grammar"), key=key
        )
    # A sum of many terms leans to the left without being hard to read, so only what stands on the right counts fully.
    leans = isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.Div))
    for place, child in enumerate(inside):
        along = leans and place == 0
        _check(child, depth + (not along), terms + along, key, functions)


def _argument(node: ast.Call, key: str, functions: Collection[str] | None) -> list[ast.AST]:
    if isinstance(node.func, ast.Constant):
        raise InputError(f"{node.func.value!r:.40}(…) is no product; write {node.func.value!r:.40}*(…)", key=key)
    if not isinstance(node.func, ast.Name):
        raise InputError("only functions that have a name can be called; write a product with *", key=key)
    known = (*FUNCTIONS, *OPERATORS) if functions is None else functions
    if node.func.id not in known:
        raise InputError(
            f"there is no function {node.func.id!r:.40}; {nearest(node.func.id, known)}; a product is written with *",
            key=key,
        )
    single = functions is None and node.func.id in FUNCTIONS
    if node.keywords or (single and len(node.args) != 1):
        raise InputError(f"{node.func.id} takes {'one argument' if single else 'arguments'}, without a name", key=key)
    return list(node.args)
