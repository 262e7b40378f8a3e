"""The nouns and rules of delivery. Standard library only, and no clock reads: time comes in as an argument."""
