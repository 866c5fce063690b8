"""The terms of a text: what it is indexed under, and what a question is looked up by.

Promises that a word is one term however it is capitalised or accented, in any script; that writing without spaces
(Chinese, Japanese, Korean, Thai, ...) is cut into single characters and pairs of them, so that any two neighbours are
found; and that no term is longer than `LONGEST`. Whatever a person types comes out as terms and nothing else, so no
question can break the syntax of a search. Pure.
"""

import re
import unicodedata
from collections.abc import Iterator

LONGEST = 64  #: characters of one term; the rest of a longer word is not indexed

# Scripts that part no words: Thai, Lao, Burmese, Hangul, Khmer, kana, Han. Korean does, and glues particles on.
_DENSE = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0edf\u1000-\u1049\u1050-\u109f\u1100-\u11ff\u1780-\u17d3"
    "\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U000323af"
)
# Letters with signs above or below them that Python counts as no part of a word: Hebrew, Arabic, the scripts of India.
_SIGNS = "\u0591-\u05bd\u05bf\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff"
_PLAIN = re.compile(rf"([a-z0-9]{{1,{LONGEST}}})[a-z0-9]*")
_WORDS = re.compile(rf"[{_DENSE}]+|(?:(?![{_DENSE}])[^\W_]|[{_SIGNS}])+")
_IS_DENSE = re.compile(rf"[{_DENSE}]")
_ACCENTS = re.compile("[\u0300-\u036f]")


def normal(text: str) -> str:
    """Return `text` without capitals, accents and variants of letters."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold())))


def is_dense(term: str) -> bool:
    """Return whether `term` is of a script without spaces."""
    return _IS_DENSE.match(term) is not None


def terms_of(text: str) -> list[str]:
    """Return the terms that a text is indexed under, in its order."""
    if text.isascii():
        return _PLAIN.findall(text.lower())
    return [term for word in _WORDS.findall(normal(text)) for term in (_pieces(word) if is_dense(word) else _cut(word))]


def asked_of(text: str) -> list[str]:
    """Return the terms that a question is looked up by, each once: pairs of characters where there is more than one."""
    found: dict[str, None] = {}
    for word in _WORDS.findall(normal(text)):
        dense = is_dense(word) and len(word) > 1
        found.update(dict.fromkeys(_pairs(word) if dense else _cut(word)))
    return list(found)


def _cut(word: str) -> Iterator[str]:
    yield word[:LONGEST]


def _pieces(word: str) -> Iterator[str]:
    yield from word
    yield from _pairs(word)


def _pairs(word: str) -> Iterator[str]:
    return (word[place : place + 2] for place in range(len(word) - 1))
