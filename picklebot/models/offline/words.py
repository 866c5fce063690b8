"""A little English: whose is whose, which words carry the meaning, what is quoted.

Pure functions on text. Knows no grammar beyond its tables.
"""

import re

_SWAPS = {
    "i am": "you are",
    "i'm": "you are",
    "i was": "you were",
    "i've": "you have",
    "i'll": "you will",
    "i'd": "you would",
    "i": "you",
    "me": "you",
    "my": "your",
    "mine": "yours",
    "myself": "yourself",
    "you are": "I am",
    "you're": "I am",
    "you were": "I was",
    "your": "my",
    "yours": "mine",
    "yourself": "myself",
}
_SWAP = re.compile(
    r"\b(?:" + "|".join(sorted(map(re.escape, _SWAPS), key=len, reverse=True)) + r")(?![\w'])", re.IGNORECASE
)
_TYPOGRAPHIC = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"'})

_SMALL_WORDS = frozenset(
    re.findall(
        r"\S+",
        """a about again all am an and any anything are as at be been by called can could did do does else ever
        everything for from had has have he her his how i i'd i'll i'm i've if in is it it's its know me mine my
        myself name named of on or our please recall remember say said she should so some something still tell than
        that that's the their them then there they this to told us was we were what what's when when's where where's
        which who who's whose why will with would you your yours""",
    )
)
_WORD = re.compile(r"[\w][\w'./@+-]*", re.UNICODE)
MAX_KEYWORDS = 8

_TOPICS = (
    ("identity", r"\bmy (?:full |first |last )?name\b|\bcall me\b|\bi(?: am|'m)\b|\bborn\b|\bbirthday\b|\bi live\b"),
    ("preferences", r"\b(?:like|love|prefer|enjoy|favou?rite|hate|dislike|rather|allergic|want)\b"),
    (
        "people",
        r"\bmy (?:\w+ )?(?:wife|husband|partner|mother|father|mum|dad|sister|brother|son|daughter|friend|boss)\b",
    ),
    ("work", r"\b(?:work|job|office|company|colleague|project|deadline)s?\b"),
)
_QUOTES = (("```", "```"), ("`", "`"), ('"', '"'), ("'", "'"))


def plain_quotes(text: str) -> str:
    """Return `text` with the quotes and apostrophes that a keyboard has."""
    return text.translate(_TYPOGRAPHIC)


def swap_person(text: str) -> str:
    """Return what I say when I say back what you said: "my cat" becomes "your cat"."""
    return _SWAP.sub(lambda match: _SWAPS[match[0].lower()], text)


def keywords(text: str) -> str:
    """Return the words worth searching for, in order, each once."""
    words = [word.removesuffix("'s").strip("./'-+") for word in _WORD.findall(plain_quotes(text))]
    strong = [word for word in dict.fromkeys(words) if word and word.lower() not in _SMALL_WORDS]
    if not strong and re.search(r"\b(?:name|called)\b", text, re.IGNORECASE):
        strong = ["name"]
    return " ".join(strong[:MAX_KEYWORDS])


def topic_of(text: str) -> str:
    """Return under which heading something belongs."""
    return next((topic for topic, pattern in _TOPICS if re.search(pattern, text, re.IGNORECASE)), "notes")


def unquote(text: str) -> str:
    """Return `text` without the quotes around it, if the whole of it is quoted."""
    text = text.strip()
    for opening, closing in _QUOTES:
        inner = text[len(opening) : len(text) - len(closing)]
        if len(text) >= len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing):
            return inner if opening[0] not in inner else text
    return text


def fenced(text: str) -> str:
    """Return `text` as a code block, in a fence that it does not contain."""
    longest = max((len(run) for run in re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}\n{text.strip(chr(10))}\n{fence}"


def sentence(text: str) -> str:
    """Return `text` with a full stop, unless it ends in punctuation already."""
    text = text.rstrip()
    return text if text.endswith((".", "!", "?", ":", "…")) else f"{text}."
