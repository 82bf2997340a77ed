"""The proof of detection: made-up traffic, what it must raise, and what plain counting says of a capture."""
