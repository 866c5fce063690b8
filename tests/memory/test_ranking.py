"""One list out of several."""

from picklebot.memory.ranking import fuse

AGES = dict.fromkeys("abcdef", 0.0)


def test_what_stands_high_in_two_lists_comes_before_what_leads_one() -> None:
    fused = fuse({"words": dict.fromkeys("abc", 1.0), "meaning": dict.fromkeys("dbe", 1.0)}, AGES)
    assert [item for item, _, _ in fused] == ["b", "a", "d", "c", "e"]
    assert fused[0][2] == {"words": 2, "meaning": 2, "recency": 2}


def test_a_weak_match_does_not_push_a_strong_one_out() -> None:
    fused = fuse({"words": dict.fromkeys("abc", 0.1), "meaning": dict.fromkeys("def", 1.0)}, AGES)
    assert [item for item, _, _ in fused][:3] == ["d", "e", "f"]


def test_age_decides_between_near_equals_only() -> None:
    ages = {"a": 300.0, "b": 200.0, "c": 100.0}
    assert [item for item, _, _ in fuse({"words": {"a": 1.0, "b": 0.99, "c": 0.2}}, ages)] == ["a", "b", "c"]
    assert [item for item, _, _ in fuse({"words": dict.fromkeys("ab", 1.0)}, {"a": 300.0, "b": 1.0})] == ["a", "b"]
    many = {chr(97 + place): 1.0 for place in range(12)}
    older = {item: float(-place) for place, item in enumerate(many)}
    fused = [item for item, _, _ in fuse({"words": many}, older)]
    assert fused[0] == "a"
