"""Contextual vectors: a transformer, frozen or fine-tuned, with a learned mix of all its layers."""

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Iterator, List, NamedTuple, Optional, Tuple, cast

import numpy
import torch
from spacy.tokens import Doc
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import Floats2d
from torch import Tensor
from torch.nn import functional as F

from ..nn.layer_mix import LayerMix
from ..nn.windows import Window, pack_windows
from ..requirements import EXTRA
from ..shims import TorchShim
from .frozen import PRECISIONS, FeatureCache, Inference
from .torch_layer import Output
from .transformer_shim import TransformerShim, position_limit
from .word_pieces import sentence_starts

PACKAGE = "package:"
BATCH_PIECES = {"cpu": 1024}
Layer = Model[List[Doc], Floats2d]


class Settings(NamedTuple):
    """A transformer's settings that come from the config alone: a stored model doesn't bring its own."""

    name: str
    trainable: bool
    window: int
    batch_pieces: Optional[int]


def Transformer(
    *,
    name: str,
    trainable: bool,
    window: int,
    batch_pieces: Optional[int],
    cache_mb: int,
    learn_rate_scale: float,
    precision: str,
) -> Layer:
    """Token vectors from all hidden layers: each layer is averaged over a token's word pieces,
    layer-normed and mixed by learned weights.

    name: a model's name on the hub, a folder, or `package:NAME/FOLDER` for one that an
        installed Python package carries.
    trainable: fine-tune the transformer; if not, its features never change, and in training
        they are computed once per text.
    window: the most word pieces in a window, into which whole sentences of a document are packed.
    batch_pieces: the most word pieces that are run at a time, padding included; null for 1,024 on
        a CPU, whose caches hold no more, and 8,192 on a GPU.
    cache_mb: memory for frozen features during training, in MiB; texts beyond it are
        computed again each time.
    learn_rate_scale: the transformer's share of the learning rate when it is fine-tuned.
    precision: "bfloat16" is faster where the processor supports it, but changes the numbers a little;
        fine-tuning always uses float32.
    """
    if precision not in PRECISIONS:
        raise ValueError(
            f"The transformer's precision is '{precision}'. Set it to one of {list(PRECISIONS)}."
        )
    settings = Settings(name, trainable, window, batch_pieces)
    shim = TransformerShim(None)
    shim.learn_rate_scale = learn_rate_scale
    shim.cache = FeatureCache(cache_mb)
    shim.inference = Inference(precision)
    return Model(
        "hmtl-transformer",
        partial(forward, settings),
        init=partial(initialize, settings),
        shims=[shim, TorchShim(LayerMix)],
        attrs={EXTRA: "transformers"},
        dims={"nO": None},
    )


def resolve(name: str) -> str:
    """The folder that `package:NAME/FOLDER` stands for; any other name as it is."""
    if not name.startswith(PACKAGE):
        return name
    package, _, folder = name[len(PACKAGE) :].partition("/")
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(
            f"The transformer's name is '{name}', but no package '{package}' is installed. "
            f"Install it, or give a model's name or folder instead."
        )
    root = Path(next(iter(spec.submodule_search_locations))).resolve()
    path = (root / folder).resolve()
    if not path.is_relative_to(root):
        raise ValueError(
            f"The transformer's name is '{name}', but '{path}' is outside the package '{package}'. "
            f"Name a folder in it, or give a folder without '{PACKAGE}'."
        )
    if not path.is_dir():
        raise ValueError(f"The transformer's name is '{name}', but '{path}' is not a folder.")
    return str(path)


def shims_of(model: Layer) -> Tuple[TransformerShim, TorchShim]:
    """What holds the transformer, and what holds the mix of its layers."""
    transformer, mix = model.shims
    return cast(TransformerShim, transformer), cast(TorchShim, mix)


def initialize(
    settings: Settings, model: Layer, X: Optional[List[Doc]] = None, Y: Optional[Floats2d] = None
) -> None:
    shim, mix = shims_of(model)
    if shim._model is None:
        shim.read(resolve(settings.name))
    config = shim._model.config
    limit, around = position_limit(config), len(shim.pieces.before) + len(shim.pieces.after)
    if limit is not None and settings.window + around > limit:
        raise ValueError(
            f"The transformer '{settings.name}' reads at most {limit} pieces, {around} of them "
            f"its own, but window is {settings.window}. Set window to at most {limit - around}."
        )
    model.set_dim("nO", config.hidden_size, force=True)
    mix.create(n_layers=config.num_hidden_layers + 1)


def forward(settings: Settings, model: Layer, docs: List[Doc], is_train: bool) -> Output:
    shim, mix = shims_of(model)
    shim.cache.active = shim.cache.active or is_train
    if not is_train and (settings.trainable or not shim.cache.active):
        with torch.no_grad():
            vectors = mixed_features(settings, model, docs)
        return cast(Floats2d, torch2xp(vectors)), lambda d_vectors: []
    if settings.trainable:
        layers = compute_features(settings, model, docs, transformer=shim._model.train())
    else:
        with torch.no_grad():
            compute = partial(compute_features, settings, model, transformer=frozen(model))
            layers = shim.cache.get(docs, compute, mix.device)
    output, torch_backprop = mix.run(is_train, layers)

    def backprop(d_vectors: Floats2d) -> List[Doc]:
        torch_backprop(xp2torch(d_vectors))
        return []

    return cast(Floats2d, torch2xp(output)), backprop


def frozen(model: Layer) -> torch.nn.Module:
    """The transformer as it is run when its weights don't change."""
    shim, _ = shims_of(model)
    return shim.inference.copy_of(shim._model)


def compute_features(
    settings: Settings, model: Layer, docs: List[Doc], *, transformer: torch.nn.Module
) -> Tensor:
    """All layers. [n_layers, n_tokens, width]"""
    config: Any = transformer.config
    shape = config.num_hidden_layers + 1, sum(len(doc) for doc in docs), config.hidden_size
    features = torch.zeros(shape, device=shims_of(model)[1].device)
    for tokens, layers in run_transformer(settings, model, docs, transformer):
        features.index_copy_(1, tokens, torch.stack(list(layers)))
    return features


def mixed_features(settings: Settings, model: Layer, docs: List[Doc]) -> Tensor:
    """The mix of all layers, which are never in memory together. [n_tokens, width]"""
    shim, mix = shims_of(model)
    # weights that training has changed in this process may change again: no copy of them
    changing = settings.trainable and shim.cache.active
    transformer = shim._model.eval() if changing else frozen(model)
    features = torch.zeros((sum(len(doc) for doc in docs), model.get_dim("nO")), device=mix.device)
    for tokens, layers in run_transformer(settings, model, docs, transformer):
        features.index_copy_(0, tokens, mix.network.add_up(layers))
    return features


def run_transformer(
    settings: Settings, model: Layer, docs: List[Doc], transformer: torch.nn.Module
) -> Iterator[Tuple[Tensor, Iterator[Tensor]]]:
    """Run the transformer over the docs, a batch of windows at a time.

    YIELDS: the tokens of a batch, counted over all docs, [n], and their vectors by layer, [n, width] each.
    """
    pieces = shims_of(model)[0].pieces
    per_doc = [pieces.of_doc(doc) for doc in docs]
    windows = pack_windows(per_doc, [sentence_starts(doc) for doc in docs], settings.window)
    device = next(transformer.parameters()).device
    batch_pieces = settings.batch_pieces or BATCH_PIECES.get(device.type, 8192)
    for batch in _batches(windows, batch_pieces):
        ids, mask, place = pieces.pad(batch)
        output = transformer(
            input_ids=torch.from_numpy(ids).to(device),
            attention_mask=torch.from_numpy(mask).to(device),
            output_hidden_states=True,
        )
        token_of_piece = numpy.concatenate([window.token_of_piece for window in batch])
        begins = numpy.flatnonzero(numpy.diff(token_of_piece, prepend=-1))
        pool = partial(
            mean_of_pieces,
            place=torch.from_numpy(place).to(device),
            begins=torch.from_numpy(begins).to(device),
        )
        yield torch.from_numpy(token_of_piece[begins]).to(device), map(pool, output.hidden_states)


def mean_of_pieces(states: Tensor, place: Tensor, begins: Tensor) -> Tensor:
    """Average a layer over each token's pieces and layer-norm it. [n_tokens, width]

    states: the layer, [n_windows, n_pieces, width]; place: where pieces stand in it, windows
    laid end to end; begins: which of these are the first of a token, whose pieces follow each other.
    """
    means = F.embedding_bag(place, states.flatten(0, 1).float(), begins, mode="mean")
    return F.layer_norm(means, means.shape[1:])


def _batches(windows: List[Window], batch_pieces: int) -> Iterator[List[Window]]:
    """Windows of similar length together, at most `batch_pieces` pieces with padding."""
    batch: List[Window] = []
    for window in sorted(windows, key=lambda window: len(window.pieces), reverse=True):
        if batch and (len(batch) + 1) * (len(batch[0].pieces) + 2) > batch_pieces:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch
