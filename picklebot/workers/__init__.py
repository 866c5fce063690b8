"""What moves messages. Sees seams, never adapters."""
