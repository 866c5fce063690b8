"""The OpenAI-compatible door: agents as models, so that programs which speak that language can talk to them."""
