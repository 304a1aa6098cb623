"""What each sentence shows, against a search through everything."""

from random import Random

from hmtl_spacy.visualize.content import Bar, Content, Link
from hmtl_spacy.visualize.sentences import split


def make(seed):
    """Words of one to three letters, some of them in no sentence, with spans and relations anywhere."""
    random = Random(seed)
    tokens, sentences, offset = [], [], 0
    for _ in range(random.randrange(8)):
        begin = offset
        for _ in range(random.randrange(1, 6)):
            size = random.randrange(1, 4)
            tokens.append((offset, offset + size, "x" * size))
            offset += size + random.randrange(2)
        sentences += [(begin, tokens[-1][1])] if random.random() < 0.9 else []
    places = [sorted(random.choices(range(offset + 1), k=2)) for _ in range(12)]
    bars = [Bar(start, end, "A", "") for start, end in places if start < end]
    links = [Link((bar.start, bar.end, ""), (0, 1, ""), "R") for bar in bars]
    return Content("", "x" * offset, "en", "ltr", tokens, sentences, {"mentions": bars}, {"relations": links})


def test_each_sentence_has_what_a_search_finds():
    for seed in range(200):
        content = make(seed)
        found = split(content)
        assert len(found) == len(content.sentences)
        for (start, end), sentence in zip(content.sentences, found, strict=True):
            assert sentence.tokens == [token for token in content.tokens if start <= token[0] < end]
            assert sentence.links["relations"] == [
                link for link in content.links["relations"] if start <= link.head[0] < end
            ]
            touching = [bar for bar in content.bars["mentions"] if bar.start < end and start < bar.end]
            assert [bar for bar in sentence.bars["mentions"] if bar in touching] == touching
