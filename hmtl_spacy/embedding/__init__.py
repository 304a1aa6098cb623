"""The shared embedding of tokens: contextual vectors, characters, words and case."""
