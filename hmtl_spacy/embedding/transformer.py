"""Contextual vectors: a transformer, frozen or fine-tuned, with a learned mix of all its layers."""

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple, cast

import torch
from spacy.tokens import Doc
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import Floats2d
from torch import Tensor

from ..nn.layer_mix import LayerMix
from ..requirements import EXTRA
from ..shims import TorchShim
from ..side_by_side import batches_of_words
from .configuration import position_limit
from .fine_tuning import FineTuned, Pieces
from .frozen import FeatureCache, Features, Inference
from .precision import PRECISIONS, autocast
from .reading import Reading
from .split import Split
from .torch_layer import Output
from .transformer_shim import Settings, TransformerShim

PACKAGE = "package:"
GROUP_TOKENS = 4096  # whose layers are in memory together when a model in training is evaluated
Layer = Model[List[Doc], Floats2d]


def Transformer(
    *,
    name: str,
    trainable: bool,
    window: int,
    batch_pieces: Optional[int],
    cache_mb: int,
    learn_rate_scale: float,
    precision: str,
    frozen_layers: int,
    layer_decay: float,
    warmup_steps: int,
    mix_learn_rate_scale: float,
    dropout: Optional[float],
    decay_all: bool,
    kept_pieces: Optional[int],
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
    cache_mb: memory for what frozen layers give in training, in MiB; texts beyond it are
        computed again each time.
    learn_rate_scale: the transformer's share of the learning rate when it is fine-tuned.
    precision: "bfloat16" is faster where the processor has it, but changes the numbers a little; weights
        that are fine-tuned and their updates stay in float32.
    frozen_layers: how many of the lower layers aren't fine-tuned, nor the embeddings under them.
    layer_decay: the learning rate of a layer, over that of the layer above it.
    warmup_steps: updates in which the transformer's learning rate rises from 0, on top of the optimizer's
        own schedule.
    mix_learn_rate_scale: the share of the learning rate of the weights that mix the layers.
    dropout: in the transformer's layers when it is fine-tuned; null for that of its configuration.
    decay_all: whether its biases and layer norms have weight decay, too.
    kept_pieces: of how many word pieces a fine-tuned transformer keeps what backpropagation needs; that of
        others is computed again. Null for all.
    """
    check_settings(locals())
    exact = trainable and precision == "float32"
    shim, mix = TransformerShim(None), TorchShim(LayerMix)
    shim.learn_rate_scale, shim.warmup_steps = learn_rate_scale, warmup_steps
    shim.layer_decay, shim.decay_all, shim.dropout = layer_decay, decay_all, dropout
    shim.cache = FeatureCache(cache_mb, torch.float32 if exact else torch.float16)
    shim.inference = Inference(precision)
    shim.split = Split(frozen_layers if trainable else 0)
    mix.learn_rate_scale = mix_learn_rate_scale
    settings = shim.settings = Settings(name, trainable, window, batch_pieces, kept_pieces)
    return Model(
        "hmtl-transformer",
        partial(forward, settings),
        init=partial(initialize, settings),
        shims=[shim, mix],
        attrs={EXTRA: "hf"},
        dims={"nO": None},
    )


def check_settings(settings: Dict[str, Any]) -> None:
    """Refuse settings that can't be meant."""
    if settings["precision"] not in PRECISIONS:
        raise ValueError(
            f"The transformer's precision is '{settings['precision']}'. Set it to one of {list(PRECISIONS)}."
        )
    ranges = {
        "frozen_layers": (0, None),
        "warmup_steps": (0, None),
        "kept_pieces": (0, None),
        "layer_decay": (0.0, 1.0),
        "dropout": (0.0, 1.0),
    }
    for name, (least, most) in ranges.items():
        value = settings[name]
        if value is not None and (value < least or (most is not None and value > most)):
            allowed = f"{least} or more" if most is None else f"{least} to {most}"
            raise ValueError(f"The transformer's {name} is {value}. Set it to {allowed}.")


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
    if shim.split.n_frozen:
        shim.split.of(shim._model)
    model.set_dim("nO", config.hidden_size, force=True)
    mix.create(n_layers=config.num_hidden_layers + 1)


def forward(settings: Settings, model: Layer, docs: List[Doc], is_train: bool) -> Output:
    shim, mix = shims_of(model)
    shim.cache.active = shim.cache.active or is_train
    if not is_train:
        with torch.no_grad():
            vectors = predicted_vectors(settings, model, docs)
        return cast(Floats2d, torch2xp(vectors)), lambda d_vectors: []
    if settings.trainable:
        shim.inference.forget()
    output, torch_backprop = mix.run(True, all_layers(settings, model, docs, is_train=True))

    def backprop(d_vectors: Floats2d) -> List[Doc]:
        torch_backprop(xp2torch(d_vectors))
        return []

    return cast(Floats2d, torch2xp(output)), backprop


def frozen(model: Layer) -> torch.nn.Module:
    """The transformer as it is run when its weights don't change."""
    shim, _ = shims_of(model)
    return shim.inference.copy_of(shim._model)


def all_layers(settings: Settings, model: Layer, docs: List[Doc], *, is_train: bool) -> Tensor:
    """All layers, those that are frozen from the cache. [n_layers, n_tokens, width]"""
    shim, mix = shims_of(model)
    if settings.trainable:
        pieces = Pieces(settings.window, settings.pieces_at_a_time(mix.device), settings.kept_pieces)
        return FineTuned(shim, pieces).layers(docs, is_train)
    with torch.no_grad():
        compute = partial(frozen_features, settings, model)
        of_docs = [layers for (layers,) in shim.cache.get(docs, compute, mix.device, keep=is_train)]
        if not of_docs:
            return compute_features(settings, model, [], transformer=frozen(model))
        return of_docs[0] if len(of_docs) == 1 else torch.cat(of_docs, dim=1)


def fill(model: Layer, docs: List[Doc]) -> None:
    """Keep what a frozen transformer gives for texts, so that batches side by side only read it."""
    shim, mix = shims_of(model)
    if not shim.settings.trainable:
        shim.cache.fill(docs, partial(frozen_features, shim.settings, model), mix.device)


@torch.no_grad()
def frozen_features(settings: Settings, model: Layer, docs: List[Doc]) -> List[Features]:
    """All layers of a frozen transformer, by document. [n_layers, n_tokens, width] each"""
    layers = compute_features(settings, model, docs, transformer=frozen(model))
    return [(of_doc,) for of_doc in layers.split([len(doc) for doc in docs], dim=1)]


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


def predicted_vectors(settings: Settings, model: Layer, docs: List[Doc]) -> Tensor:
    """The mix of all layers, without a gradient. [n_tokens, width]"""
    shim, mix = shims_of(model)
    training = shim.cache.active  # in this process
    if training and (shim.split.n_frozen or not settings.trainable):
        groups = list(batches_of_words(docs, GROUP_TOKENS)) or [docs]  # also of no document
        kept = (all_layers(settings, model, group, is_train=False) for group in groups)
        return torch.cat([mix.run(False, layers)[0] for layers in kept])
    # weights that training has changed may change again: no copy of them
    changing = training and settings.trainable
    transformer = shim._model.eval() if changing else frozen(model)
    features = torch.zeros((sum(len(doc) for doc in docs), model.get_dim("nO")), device=mix.device)
    for tokens, layers in run_transformer(settings, model, docs, transformer):
        features.index_copy_(0, tokens, mix.network.add_up(layers))  # never all of them in memory
    return features


def run_transformer(
    settings: Settings, model: Layer, docs: List[Doc], transformer: torch.nn.Module
) -> Iterator[Tuple[Tensor, Iterator[Tensor]]]:
    """Run the transformer over the docs, a batch of windows at a time.

    YIELDS: the tokens of a batch, counted over all docs, [n], and their vectors by layer, [n, width] each.
    """
    shim, _ = shims_of(model)
    device = next(transformer.parameters()).device
    # a copy has its precision already
    precision = shim.inference.precision if transformer is shim._model else "float32"
    reading = Reading(docs, shim.pieces, settings.window)
    for batch in reading.batches(settings.pieces_at_a_time(device), device):
        with autocast(precision, device):
            layers = batch.run(transformer)
        yield batch.tokens, map(batch.token_vectors, layers)
