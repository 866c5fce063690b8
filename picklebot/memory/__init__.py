"""Notes that outlive a conversation."""
