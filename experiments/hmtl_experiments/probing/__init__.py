"""Probing: what sentence embeddings of each level know, by ten tasks made of a treebank (Table 6)."""
