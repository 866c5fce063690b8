"""How many of the labelled questions are answered, without an embedder: with one, the benchmark says."""

from pathlib import Path

from picklebot.memory.kinship import is_form
from picklebot.memory.memories import Memories
from picklebot.memory.small_words import SMALL
from picklebot.memory.terms import asked_of, terms_of
from picklebot.testing import FakeClock
from tests.memory.recall.questions import KINDS, load, substring


def key_words(text: str) -> set[str]:
    return {term for term in terms_of(text) if term not in SMALL and len(term) > 1}


def test_a_third_of_the_questions_share_no_word_with_any_of_their_answers() -> None:
    labelled = load()
    assert len(labelled.notes) >= 200
    assert len(labelled.questions) >= 120
    assert {question.kind for question in labelled.questions} == set(KINDS)
    assert sum(question.kind == "meaning" for question in labelled.questions) * 3 >= len(labelled.questions)
    for question in labelled.questions:
        assert question.answers <= set(labelled.notes)
        if question.kind == "meaning":
            asked = {term for term in asked_of(question.text) if term not in SMALL}
            held = set[str]().union(*(key_words(labelled.notes[name]) for name in question.answers))
            shared = {term for term in asked for other in held if term == other or is_form(term, other)}
            assert not shared, f"{question.text!r} shares {shared}"


async def test_words_find_what_substrings_do_not(tmp_path: Path) -> None:
    labelled = load()
    folder = labelled.write(tmp_path / "memories")
    memories = Memories(folder, tmp_path, clock=FakeClock())
    try:
        await memories.reindex()
        answers = [await memories.search(question.text, 5) for question in labelled.questions]
    finally:
        await memories.close()
    found = [[labelled.name_of(note.path) for note in each.notes] for each in answers]
    plain = [substring(labelled, question.text) for question in labelled.questions]
    for kind in ("all", *KINDS):
        print(
            f"recall@5, {kind}: substring {labelled.recall(plain, kind):.0f} %, words {labelled.recall(found, kind):.0f} %"
        )
    assert labelled.recall(found) > labelled.recall(plain) + 5
    assert min(labelled.recall(found, kind) for kind in ("words", "typo", "part")) >= 95
