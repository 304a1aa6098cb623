"""Contextual vectors: a transformer, frozen or fine-tuned, with a learned mix of all its layers."""

import hashlib
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Tuple

import numpy
import torch
from spacy.attrs import ORTH
from spacy.tokens import Doc
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_shim import HFShim
from spacy_transformers.layers.transformer_model import huggingface_from_pretrained
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import Floats2d
from torch import Tensor
from torch.nn import functional as F

from .nn.layer_mix import LayerMix
from .nn.windows import Window, pack_windows
from .requirements import EXTRA
from .shims import TorchShim, TorchUpdates

PACKAGE = "package:"
BATCH_PIECES = {"cpu": 1024}


class TransformerShim(TorchUpdates, HFShim):
    """spacy-transformers' shim, which stores weights, configuration and tokenizer together."""

    cache: "FeatureCache"


def Transformer(
    name: str,
    trainable: bool = False,
    window: int = 254,
    batch_pieces: Optional[int] = None,
    cache_mb: int = 4096,
    learn_rate_scale: float = 0.02,
) -> Model[List[Doc], Floats2d]:
    """Token vectors from all hidden layers: each layer is averaged over a token's pieces,
    layer-normed and mixed by learned weights.

    name: a model's name on the hub, a folder, or `package:NAME/FOLDER` for one that an
        installed Python package carries.
    trainable: fine-tune the transformer; if not, its features never change, and in training
        they are computed once per text.
    window: whole sentences of a document are packed into windows of at most so many pieces.
    batch_pieces: at most so many pieces, padding included, are run at a time; null for 1,024 on
        a CPU, whose caches hold no more, and 8,192 on a GPU.
    cache_mb: memory for frozen features during training, in MiB; texts beyond it are
        computed again each time.
    learn_rate_scale: the transformer's share of the learning rate when it is fine-tuned.
    """
    shim = TransformerShim(HFObjects(None, None, None))
    shim.learn_rate_scale = learn_rate_scale
    shim.cache = FeatureCache(cache_mb)
    return Model(
        "hmtl-transformer",
        forward,
        init=initialize,
        shims=[shim, TorchShim(LayerMix)],
        attrs={
            "name": name,
            "trainable": trainable,
            "window": window,
            "batch_pieces": batch_pieces,
            EXTRA: "transformers",
        },
        dims={"nO": None},
    )


def resolve(name: str) -> str:
    """The folder that `package:NAME/FOLDER` stands for; any other name as it is."""
    if not name.startswith(PACKAGE):
        return name
    package, _, folder = name[len(PACKAGE) :].partition("/")
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(
            f"The transformer is asked for as '{name}', but no package '{package}' is installed. "
            f"Install it, or give a model's name or folder instead."
        )
    path = Path(list(spec.submodule_search_locations)[0]) / folder
    if not path.is_dir():
        raise ValueError(f"The transformer is asked for as '{name}', but '{path}' is no folder.")
    return str(path)


def initialize(model: Model, X=None, Y=None) -> None:
    shim = model.shims[0]
    if shim._model is None:
        objects = huggingface_from_pretrained(
            resolve(model.attrs["name"]), {"use_fast": True, "add_prefix_space": True}, {}
        )
        shim._hfmodel = objects
        shim._model = objects.transformer
    config = shim._model.config
    limit = getattr(config, "max_position_embeddings", None)
    around = shim._hfmodel.tokenizer.num_special_tokens_to_add()
    if limit is not None and model.attrs["window"] + around > limit:
        raise ValueError(
            f"The transformer '{model.attrs['name']}' reads at most {limit} pieces, {around} of them "
            f"its own, but window is {model.attrs['window']}. Set window to at most {limit - around}."
        )
    model.set_dim("nO", config.hidden_size, force=True)
    model.shims[1].create(n_layers=config.num_hidden_layers + 1)


def forward(model: Model, docs: List[Doc], is_train: bool) -> Tuple[Floats2d, Callable]:
    cache = model.shims[0].cache
    cache.active = cache.active or is_train
    trainable = model.attrs["trainable"]
    if not is_train and (trainable or not cache.active):
        model.shims[0]._model.eval()
        with torch.no_grad():
            return torch2xp(mixed_features(model, docs)), lambda d_vectors: []
    if trainable:
        model.shims[0]._model.train()
        layers = compute_features(model, docs)
    else:
        model.shims[0]._model.eval()
        with torch.no_grad():
            layers = cached_features(model, docs)
    output, torch_backprop = model.shims[1].run(is_train, layers)

    def backprop(d_vectors: Floats2d) -> List[Doc]:
        torch_backprop(xp2torch(d_vectors))
        return []

    return torch2xp(output), backprop


class FeatureCache:
    """Frozen features of texts, kept in half precision on the CPU while a model is trained.

    megabytes: the bound. What doesn't fit any more is not kept; nothing is thrown out, since
        training reads all texts in turn. Never stored with the model.
    """

    def __init__(self, megabytes: int):
        self.megabytes = megabytes
        self.active = False
        self.used = 0
        self.features: Dict[bytes, Tensor] = {}

    def __reduce__(self):
        return FeatureCache, (self.megabytes,)

    def keep(self, key: bytes, features: Tensor) -> None:
        size = features.nelement() * 2
        if self.active and self.used + size <= self.megabytes * 2**20:
            self.features[key] = features.to("cpu", torch.float16)
            self.used += size


def cached_features(model: Model, docs: List[Doc]) -> Tensor:
    """[n_layers, n_tokens, width], from the cache where it has them."""
    cache = model.shims[0].cache
    keys = [_key(doc) for doc in docs]
    missing = {key: doc for key, doc in zip(keys, docs) if key not in cache.features and len(doc)}
    found: Dict[bytes, Tensor] = {}
    if missing:
        computed = compute_features(model, list(missing.values()))
        pieces = computed.split([len(doc) for doc in missing.values()], dim=1)
        for key, features in zip(missing, pieces):
            found[key] = features
            cache.keep(key, features)
    device = model.shims[1].device
    layers = [
        found[key] if key in found else cache.features[key].to(device).float()
        for key, doc in zip(keys, docs)
        if len(doc)
    ]
    if not layers:
        return torch.zeros((model.shims[1].cfg["n_layers"], 0, model.get_dim("nO")), device=device)
    return layers[0] if len(layers) == 1 else torch.cat(layers, dim=1)


def _key(doc: Doc) -> bytes:
    words = doc.to_array([ORTH]).tobytes()
    return hashlib.blake2b(words + b"|" + _sentence_starts(doc).tobytes(), digest_size=16).digest()


def _sentence_starts(doc: Doc) -> numpy.ndarray:
    """Whether a sentence may begin at each token; if none is marked, none does."""
    return doc.to_array("SENT_START").reshape(-1) == 1


def compute_features(model: Model, docs: List[Doc]) -> Tensor:
    """All layers. [n_layers, n_tokens, width]"""
    config = model.shims[0]._model.config
    shape = config.num_hidden_layers + 1, sum(len(doc) for doc in docs), config.hidden_size
    features = torch.zeros(shape, device=model.shims[1].device)
    for tokens, layers in run_transformer(model, docs):
        features.index_copy_(1, tokens, torch.stack(list(layers)))
    return features


def mixed_features(model: Model, docs: List[Doc]) -> Tensor:
    """The mix of all layers, which are never in memory together. [n_tokens, width]"""
    mix = model.shims[1].network
    shape = sum(len(doc) for doc in docs), model.get_dim("nO")
    features = torch.zeros(shape, device=model.shims[1].device)
    for tokens, layers in run_transformer(model, docs):
        features.index_copy_(0, tokens, mix.add_up(layers))
    return features


def run_transformer(model: Model, docs: List[Doc]) -> Iterator[Tuple[Tensor, Iterator[Tensor]]]:
    """YIELDS: some tokens of the docs, counted through, [n], and their vectors by layer, [n, width] each."""
    transformer = model.shims[0]._model
    pieces = Pieces.of(model.shims[0])
    per_doc = [pieces.of_doc(doc) for doc in docs]
    windows = pack_windows(per_doc, [_sentence_starts(doc) for doc in docs], model.attrs["window"])
    device = next(transformer.parameters()).device
    batch_pieces = model.attrs["batch_pieces"] or BATCH_PIECES.get(device.type, 8192)
    for batch in _batches(windows, batch_pieces):
        ids, mask, place = pieces.pad(batch)
        output = transformer(
            input_ids=torch.from_numpy(ids).to(device),
            attention_mask=torch.from_numpy(mask).to(device),
            output_hidden_states=True,
        )
        token_of_piece = numpy.concatenate([window.token_of_piece for window in batch])
        found, local = numpy.unique(token_of_piece, return_inverse=True)
        token = torch.from_numpy(local.reshape(-1)).to(device)
        place = torch.from_numpy(place).to(device)
        pool = partial(mean_of_pieces, place=place, token=token, counts=token.bincount()[:, None])
        yield torch.from_numpy(found).to(device), map(pool, output.hidden_states)


def mean_of_pieces(states: Tensor, place: Tensor, token: Tensor, counts: Tensor) -> Tensor:
    """Average a layer over each token's pieces and layer-norm it. [n_tokens, width]

    states: the layer, [n_windows, n_pieces, width]; place: where pieces stand in it, windows
    laid end to end; token: which token each belongs to; counts: the pieces of each token, [n_tokens, 1].
    """
    vectors = states.flatten(0, 1)[place]
    sums = vectors.new_zeros((len(counts), vectors.shape[1])).index_add(0, token, vectors)
    return F.layer_norm(sums / counts, sums.shape[1:])


def _batches(windows: List[Window], batch_pieces: int) -> Iterator[List[Window]]:
    """Windows of similar length together, at most `batch_pieces` pieces with padding."""
    batch: List[Window] = []
    for window in sorted(windows, key=len, reverse=True):
        if batch and (len(batch) + 1) * (len(batch[0]) + 2) > batch_pieces:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


class Pieces:
    """Word pieces of single words, remembered by word: tokenizers see a word without its neighbours."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.known: Dict[int, List[int]] = {}
        probe = tokenizer.build_inputs_with_special_tokens([-1])
        middle = probe.index(-1)
        self.before, self.after = probe[:middle], probe[middle + 1 :]
        self.padding = tokenizer.pad_token_id or 0

    @classmethod
    def of(cls, shim: TransformerShim) -> "Pieces":
        tokenizer = shim._hfmodel.tokenizer
        if shim.__dict__.get("_pieces") is None or shim._pieces.tokenizer is not tokenizer:
            shim._pieces = cls(tokenizer)
        return shim._pieces

    def of_doc(self, doc: Doc) -> List[List[int]]:
        """The piece ids of each token; none for white space."""
        orths = doc.to_array([ORTH]).reshape(-1).tolist()
        new = list({orth for orth in orths if orth not in self.known})
        if new:
            if len(self.known) > 500_000:
                self.known.clear()
                new = list(set(orths))
            words = [[doc.vocab.strings[orth]] for orth in new]
            encoded = self.tokenizer(words, is_split_into_words=True, add_special_tokens=False)
            self.known.update(zip(new, encoded["input_ids"]))
        return [self.known[orth] for orth in orths]

    def pad(self, windows: List[Window]) -> Tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
        """Piece ids and attention mask, [n_windows, longest], and the places of the
        tokens' pieces in them when flattened. [n_pieces]
        """
        around = len(self.before) + len(self.after)
        longest = max(len(window) for window in windows) + around
        ids = numpy.full((len(windows), longest), self.padding, dtype=numpy.int64)
        mask = numpy.zeros((len(windows), longest), dtype=numpy.int64)
        places = []
        for row, window in enumerate(windows):
            full = [*self.before, *window.pieces, *self.after]
            ids[row, : len(full)] = full
            mask[row, : len(full)] = 1
            places.append(numpy.arange(len(window)) + row * longest + len(self.before))
        return ids, mask, numpy.concatenate(places)
