"""Writes a CTranslate2 Whisper model in float16 as a whisper.cpp ggml file. No numpy needed.

Both hold the same numbers under other names. CTranslate2 keeps the query, key and value projections
of a layer in one matrix and has a key bias, which Whisper does not and which is all zeros. The mel
filters and the vocabulary are not in a CTranslate2 file; they are the same in every multilingual
80-mel model, so they are copied from another ggml file.

For `base` the result is the official file, byte for byte; fetch-model's checksum proves it.
"""

import struct
from typing import Iterator, NamedTuple

GGML_MAGIC = 0x67676D6C
GGML_F32, GGML_F16 = 0, 1
CT2_F16 = 4
"""CTranslate2's number for float16 in a tensor's head."""
HEAD_SIZE = 64
"""Width of one attention head in every Whisper model."""
HEADER_BYTES = 4 + 11 * 4
"""A ggml file begins with its magic and eleven 32-bit numbers."""


class WrongModel(Exception):
    """The bytes are not a model this can convert."""


class Tensor(NamedTuple):
    """Float16 numbers, row by row; the slowest dimension first."""

    dims: list[int]
    data: memoryview


class Source(NamedTuple):
    """Where a ggml tensor comes from: rows `part` of `of` equal parts of a CTranslate2 tensor."""

    name: str
    part: int = 0
    of: int = 1


def convert(ct2: bytes, other_ggml: bytes) -> Iterator[bytes]:
    """Yields the ggml file of the model `ct2`, piece by piece.

    `other_ggml`: any ggml Whisper model with the same vocabulary and number of mels.
    Raises WrongModel when either is something else.
    """
    tensors = read_ct2(ct2)
    try:
        vocabulary, audio_width, mels = (
            tensors["decoder/embeddings/weight"].dims[0],
            *tensors["encoder/conv1/weight"].dims[:2],
        )
        audio_context = tensors["encoder/position_encodings/encodings"].dims[0]
        text_context, text_width = tensors["decoder/position_encodings/encodings"].dims
    except KeyError as missing:
        raise WrongModel(f"the model has no tensor {missing}") from None
    encoder_layers = count_layers(tensors, "encoder")
    decoder_layers = count_layers(tensors, "decoder")

    yield struct.pack("<I", GGML_MAGIC)
    yield struct.pack(
        "<11i",
        vocabulary,
        audio_context,
        audio_width,
        audio_width // HEAD_SIZE,
        encoder_layers,
        text_context,
        text_width,
        text_width // HEAD_SIZE,
        decoder_layers,
        mels,
        GGML_F16,
    )
    yield mels_and_vocabulary(other_ggml, vocabulary, mels)
    for name, source in layout(encoder_layers, decoder_layers):
        yield from ggml_tensor(name, take(tensors, source))


# Reading


def read_ct2(data: bytes) -> dict[str, Tensor]:
    """All tensors of a CTranslate2 file by name; those that are not float16 are left out."""
    view = memoryview(data)
    at = 0

    def number(code: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from("<" + code, view, at)
        at += struct.calcsize("<" + code)
        return value

    def text() -> str:
        nonlocal at
        length = number("H")
        value = bytes(view[at : at + length]).rstrip(b"\0").decode()
        at += length
        return value

    try:
        number("I")  # version of the container
        if (kind := text()) != "WhisperSpec":
            raise WrongModel(f"not a Whisper model but {kind!r}")
        number("I")  # revision of the model's layout
        tensors = {}
        for _ in range(number("I")):
            name = text()
            dims = [number("I") for _ in range(number("B"))]
            kind, length = number("B"), number("I")
            if kind == CT2_F16:
                tensors[name] = Tensor(dims, view[at : at + length])
            at += length
    except (struct.error, UnicodeDecodeError):
        raise WrongModel("the CTranslate2 file is cut off or damaged") from None
    return tensors


def count_layers(tensors: dict[str, Tensor], side: str) -> int:
    layers = 0
    while f"{side}/layer_{layers}/ffn/linear_0/weight" in tensors:
        layers += 1
    return layers


def mels_and_vocabulary(ggml: bytes, vocabulary: int, mels: int) -> bytes:
    """The mel filters and the vocabulary of a ggml file, as they stand in it."""
    try:
        magic, theirs = struct.unpack_from("<Ii", ggml)
        at = HEADER_BYTES
        their_mels, bins = struct.unpack_from("<2i", ggml, at)
        if magic != GGML_MAGIC or (theirs, their_mels) != (vocabulary, mels):
            raise WrongModel("the vocabulary is not that of this model")
        at += 2 * 4 + their_mels * bins * 4
        (tokens,) = struct.unpack_from("<i", ggml, at)
        at += 4
        for _ in range(tokens):
            at += 4 + struct.unpack_from("<i", ggml, at)[0]
    except struct.error:
        raise WrongModel("the file to take the vocabulary from is cut off") from None
    return ggml[HEADER_BYTES:at]


# Writing


def layout(encoder_layers: int, decoder_layers: int) -> Iterator[tuple[str, Source]]:
    """Every tensor of a ggml file and its source, in the order whisper.cpp's converter writes them."""
    yield "decoder.positional_embedding", Source("decoder/position_encodings/encodings")
    yield "encoder.positional_embedding", Source("encoder/position_encodings/encodings")
    yield "decoder.token_embedding.weight", Source("decoder/embeddings/weight")
    for i in range(decoder_layers):
        yield from layer(f"decoder.blocks.{i}", f"decoder/layer_{i}")
        yield from cross_attention(f"decoder.blocks.{i}", f"decoder/layer_{i}/attention")
    yield from norm("decoder.ln", "decoder/layer_norm")
    yield from linear("encoder.conv1", "encoder/conv1")
    yield from linear("encoder.conv2", "encoder/conv2")
    for i in range(encoder_layers):
        yield from layer(f"encoder.blocks.{i}", f"encoder/layer_{i}")
    yield from norm("encoder.ln_post", "encoder/layer_norm")


def layer(to: str, source: str) -> Iterator[tuple[str, Source]]:
    """What a layer of the encoder and of the decoder have in common."""
    yield from norm(f"{to}.mlp_ln", f"{source}/ffn/layer_norm")
    yield from linear(f"{to}.mlp.0", f"{source}/ffn/linear_0")
    yield from linear(f"{to}.mlp.2", f"{source}/ffn/linear_1")
    attention = f"{source}/self_attention"
    yield from norm(f"{to}.attn_ln", f"{attention}/layer_norm")
    yield from linear(f"{to}.attn.query", f"{attention}/linear_0", 0, 3)
    yield f"{to}.attn.key.weight", Source(f"{attention}/linear_0/weight", 1, 3)
    yield from linear(f"{to}.attn.value", f"{attention}/linear_0", 2, 3)
    yield from linear(f"{to}.attn.out", f"{attention}/linear_1")


def cross_attention(to: str, source: str) -> Iterator[tuple[str, Source]]:
    yield from norm(f"{to}.cross_attn_ln", f"{source}/layer_norm")
    yield from linear(f"{to}.cross_attn.query", f"{source}/linear_0")
    yield f"{to}.cross_attn.key.weight", Source(f"{source}/linear_1/weight", 0, 2)
    yield from linear(f"{to}.cross_attn.value", f"{source}/linear_1", 1, 2)
    yield from linear(f"{to}.cross_attn.out", f"{source}/linear_2")


def norm(to: str, source: str) -> Iterator[tuple[str, Source]]:
    yield f"{to}.weight", Source(f"{source}/gamma")
    yield f"{to}.bias", Source(f"{source}/beta")


def linear(to: str, source: str, part: int = 0, of: int = 1) -> Iterator[tuple[str, Source]]:
    yield f"{to}.weight", Source(f"{source}/weight", part, of)
    yield f"{to}.bias", Source(f"{source}/bias", part, of)


def take(tensors: dict[str, Tensor], source: Source) -> Tensor:
    tensor = tensors.get(source.name)
    if tensor is None:
        raise WrongModel(f"the model has no float16 tensor {source.name!r}")
    rows = tensor.dims[0] // source.of
    length = len(tensor.data) // source.of
    start = source.part * length
    return Tensor([rows, *tensor.dims[1:]], tensor.data[start : start + length])


def ggml_tensor(name: str, tensor: Tensor) -> Iterator[bytes | memoryview]:
    """Vectors and positions in float32, the rest in float16; dimensions from the fastest on."""
    dims, data, kind = tensor.dims, tensor.data, GGML_F16
    if len(dims) == 1 or name.endswith("positional_embedding"):
        count = len(data) // 2
        data = struct.pack(f"<{count}f", *struct.unpack(f"<{count}e", data))
        kind = GGML_F32
    if name in ("encoder.conv1.bias", "encoder.conv2.bias"):
        dims = [*dims, 1]  # added to every position of the convolution's output
    encoded = name.encode()
    yield struct.pack("<3i", len(dims), len(encoded), kind)
    yield struct.pack(f"<{len(dims)}i", *reversed(dims))
    yield encoded
    yield data
