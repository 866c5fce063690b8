"""Power cuts: a disk that may lose what was not synced, and the store and the notes upon it."""
