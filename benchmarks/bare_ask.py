"""One question with the vendor's client and nothing else: `python bare_ask.py URL MODEL`."""

import sys

import anthropic


def ask(url: str, model: str) -> str:
    """Ask, as the shortest script that streams would."""
    with anthropic.Anthropic(api_key="test", base_url=url) as client:
        events = client.messages.create(
            model=model, max_tokens=8192, messages=[{"role": "user", "content": "hello"}], stream=True
        )
        deltas = [event.delta for event in events if event.type == "content_block_delta"]
        return "".join(delta.text for delta in deltas if delta.type == "text_delta")


if __name__ == "__main__":
    print(ask(*sys.argv[1:]))
