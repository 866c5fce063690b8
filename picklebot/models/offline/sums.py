"""Sums, safely: whole and decimal numbers, + - * / % ** and brackets.

Promises to answer at once or not at all: sizes are capped before anything is computed. Knows no names, no functions.
"""

import ast
import re

MAX_LENGTH = 200
LARGEST = 10**30
MAX_EXPONENT = 100

_WORDS = (
    (r"\bplus\b", "+"),
    (r"\bminus\b", "-"),
    (r"\b(?:times|multiplied by)\b", "*"),
    (r"\b(?:divided by|over)\b", "/"),
    (r"\b(?:to the power of)\b|\^", "**"),
    (r"\bsquared\b", "**2"),
    (r"[×·]|(?<=[0-9)\s])x(?=[0-9(\s])", "*"),
    (r"÷", "/"),
    (r"−", "-"),
    (r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))", ""),
)
_SUM = re.compile(r"[0-9\s.+\-*/%()]*[0-9)]\s*[+\-*/%]+[\s(+\-]*[0-9.][0-9\s.+\-*/%()]*")
_DATE = re.compile(r"\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}\s*")


def answer(text: str) -> str | None:
    """Return the sum with its result, or why it has none; None if `text` is no sum."""
    written = text.strip()
    for pattern, sign in _WORDS:
        text = re.sub(pattern, sign, text, flags=re.IGNORECASE)
    if len(text) > MAX_LENGTH or not _SUM.fullmatch(text) or _DATE.fullmatch(text):
        return None
    try:
        value = _value(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError:
        return None
    except ZeroDivisionError:
        return f"{written} has no result: it divides by zero."
    except OverflowError:
        return f"{written} is too large for me."
    return f"{written} = {value if isinstance(value, int) else format(value + 0.0, '.12g')}"


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return _capped(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left), _value(right))
        case ast.BinOp(left=left, op=op, right=right):
            return _capped(_operate(_value(left), op, _value(right)))
        case _:
            raise SyntaxError("this is no sum")


def _operate(left: float, op: ast.operator, right: float) -> float:
    match op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
        case ast.FloorDiv():
            return left // right
        case ast.Mod():
            return left % right
        case _:
            raise SyntaxError("this is no sum")


def _power(base: float, exponent: float) -> float:
    if abs(exponent) > MAX_EXPONENT or abs(base) > LARGEST:
        raise OverflowError
    if base < 0 and exponent != int(exponent):
        raise SyntaxError("the root of a negative number is no number here")
    return _capped(base**exponent)


def _capped(number: float) -> float:
    if not abs(number) <= LARGEST:
        raise OverflowError
    return number
