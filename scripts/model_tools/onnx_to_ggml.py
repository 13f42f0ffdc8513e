"""Writes a Whisper model in ONNX, rounded to 8 bits a weight, as a whisper.cpp ggml file in 8 bits.

Such a model is two files, encoder and decoder, whose weights are bytes with one scale and one zero
for each matrix. ggml's Q8_0 has a scale for each 32 weights, so nothing is lost but a rounding. Matrices
have no names of their own: the node that multiplies by one says which it is. No numpy: what is done for
each weight is done by tables, on whole rows of bytes at a time.
"""

import re
import struct
from functools import cache
from typing import Iterator, NamedTuple

from .ct2_to_ggml import GGML_F16, GGML_F32, GGML_MAGIC, HEAD_SIZE, WrongModel, mels_and_vocabulary

GGML_Q8_0 = 8
FILE_Q8_0 = 2007
"""A file's kind: mostly Q8_0, in the second version of how ggml rounds."""
BLOCK = 32
"""Weights that have a scale in common."""
ONNX_F32, ONNX_U8, ONNX_I8 = 1, 2, 3
"""ONNX's numbers for what a tensor is made of."""

PROJECTIONS = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "out_proj": "out"}
PARTS = [
    ("encoder_attn_layer_norm", "cross_attn_ln"),
    ("self_attn_layer_norm", "attn_ln"),
    ("final_layer_norm", "mlp_ln"),
    ("encoder_attn", "cross_attn"),
    ("self_attn", "attn"),
    ("fc1", "mlp.0"),
    ("fc2", "mlp.2"),
    ("layers", "blocks"),
    *PROJECTIONS.items(),
]
"""ONNX's words for the parts of a layer, and ggml's."""


class Tensor(NamedTuple):
    """Numbers row by row; the slowest dimension first. `scale` is 0 where they are float32, else they
    are bytes: a weight is (byte - zero) * scale."""

    dims: list[int]
    data: bytes
    scale: float = 0.0
    zero: int = 0
    signed: bool = False


def convert(encoder: bytes, decoder: bytes, other_ggml: bytes) -> Iterator[bytes]:
    """Yields the ggml file, piece by piece.

    `other_ggml`: any ggml Whisper model with the same vocabulary and number of mels.
    Raises WrongModel when any is something else.
    """
    try:
        tensors = {f"encoder.{name}": it for name, it in read(encoder, "layer_norm", "ln_post").items()}
        tensors |= {f"decoder.{name}": it for name, it in read(decoder, "layer_norm", "ln").items()}
        vocabulary, text_width = tensors["decoder.token_embedding.weight"].dims
        audio_context, audio_width = tensors["encoder.positional_embedding"].dims
        text_context, _ = tensors["decoder.positional_embedding"].dims
        mels = tensors["encoder.conv1.weight"].dims[1]
    except (KeyError, ValueError, IndexError, struct.error) as missing:
        raise WrongModel(f"the ONNX files are not those of a Whisper model in 8 bits ({missing})") from None
    layers = {side: sum(it.startswith(f"{side}.") and it.endswith(".mlp_ln.bias") for it in tensors)
              for side in ("encoder", "decoder")}
    if text_width % BLOCK or audio_width % BLOCK:
        raise WrongModel(f"rows of {text_width} and {audio_width} weights cannot be in blocks of {BLOCK}")

    yield struct.pack("<I", GGML_MAGIC)
    yield struct.pack(
        "<11i",
        vocabulary,
        audio_context,
        audio_width,
        audio_width // HEAD_SIZE,
        layers["encoder"],
        text_context,
        text_width,
        text_width // HEAD_SIZE,
        layers["decoder"],
        mels,
        FILE_Q8_0,
    )
    yield mels_and_vocabulary(other_ggml, vocabulary, mels)
    for name in sorted(tensors):
        yield from ggml_tensor(name, tensors[name])


# Reading


def read(onnx: bytes, last_norm: str, last_norm_ggml: str) -> dict[str, Tensor]:
    """The weights of one file by their names in ggml, without the side. Matrices are transposed to how
    ggml has them, with what comes out as rows."""
    stored, nodes = {}, []
    for graph in graphs(onnx):
        stored |= {name: it for name, it in map(initializer, fields(graph, 5))}
        nodes += fields(graph, 1)

    tensors = {}
    for name in stored:
        if re.fullmatch(r".*(_scale|_zero_point)", name) or name.startswith(("onnx::", "/")):
            continue
        plain = re.sub(r"_merged_\d+|_quantized$|^model\.(en|de)coder\.", "", name)
        plain = re.sub(r"_merged_\d+$", "", plain)
        if re.match(r"(layers\.|conv\d|embed_|layer_norm)", plain):
            tensors[renamed(plain, last_norm, last_norm_ggml)] = weights(stored, name)
    place = re.compile(r"layers\.(\d+)/(?:(self_attn|encoder_attn)/(\w+_proj)|(fc[12]))/MatMul")
    for node in nodes:
        matrix = next((it for it in map(bytes.decode, fields(node, 1)) if it in stored
                       and it.startswith("onnx::MatMul") and it.endswith("_quantized")), None)
        found = place.search(b"".join(fields(node, 3)).decode())
        if matrix and found:
            layer, attention, projection, feed = found.groups()
            part = feed or f"{attention}.{projection}"
            name = renamed(f"layers.{layer}.{part}.weight", last_norm, last_norm_ggml)
            if name not in tensors:
                tensors[name] = transposed(weights(stored, matrix))
    return tensors


def renamed(name: str, last_norm: str, last_norm_ggml: str) -> str:
    if name.startswith(f"{last_norm}."):
        return name.replace(last_norm, last_norm_ggml)
    name = name.replace("embed_positions.weight", "positional_embedding")
    name = name.replace("embed_tokens", "token_embedding")
    for theirs, ours in PARTS:
        name = re.sub(rf"\b{theirs}\b", ours, name)
    return name


def weights(stored: dict, name: str) -> Tensor:
    dims, kind, data, _ = stored[name]
    if not name.endswith("_quantized"):
        if kind != ONNX_F32:
            raise ValueError(f"{name} is not float32")
        return Tensor(dims, data)
    scale = struct.unpack("<f", stored[name.removesuffix("quantized") + "scale"][2])[0]
    zero = stored[name.removesuffix("quantized") + "zero_point"][3]
    if kind not in (ONNX_U8, ONNX_I8):
        raise ValueError(f"{name} is not in 8 bits")
    return Tensor(dims, data, scale, zero, kind == ONNX_I8)


def transposed(matrix: Tensor) -> Tensor:
    rows, columns = matrix.dims
    data = b"".join(matrix.data[column::columns] for column in range(columns))
    return matrix._replace(dims=[columns, rows], data=data)


def initializer(message: bytes) -> tuple[str, tuple[list[int], int, bytes, int]]:
    """A tensor of an ONNX file: its name; its dimensions, kind, bytes, and its one integer."""
    dims, kind, data, integer, name = [], 0, b"", 0, ""
    for number, value in split(message):
        match number:
            case 1:
                dims += [value] if isinstance(value, int) else varints(value)
            case 2:
                kind = value
            case 4 | 9:  # float32 as numbers, anything as bytes
                data += value if isinstance(value, bytes) else struct.pack("<I", value)
            case 5:
                integers = [value] if isinstance(value, int) else varints(value)
                integer = integers[0] - (1 << 64 if integers[0] >> 63 else 0)
            case 8:
                name = value.decode()
    return name, (dims, kind, data, integer)


def graphs(model: bytes) -> Iterator[bytes]:
    """The graph of a model, and those inside its branches."""
    for graph in fields(model, 7):
        yield graph
        for node in fields(graph, 1):
            for attribute in fields(node, 5):
                yield from fields(attribute, 6)


def fields(message: bytes, wanted: int) -> list[bytes]:
    return [value for number, value in split(message) if number == wanted and isinstance(value, bytes)]


def split(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """The fields of a message of protocol buffers, in order; a 32-bit field as a whole number."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        match key & 7:
            case 0:
                value, at = varint(message, at)
            case 1:
                value, at = message[at : at + 8], at + 8
            case 2:
                length, at = varint(message, at)
                value, at = message[at : at + length], at + length
            case 5:
                value, at = struct.unpack_from("<I", message, at)[0], at + 4
            case kind:
                raise ValueError(f"a field of kind {kind}")
        yield key >> 3, value


def varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def varints(packed: bytes) -> list[int]:
    numbers, at = [], 0
    while at < len(packed):
        number, at = varint(packed, at)
        numbers.append(number)
    return numbers


# Writing


def ggml_tensor(name: str, tensor: Tensor) -> Iterator[bytes]:
    """Matrices in Q8_0, convolutions in float16, the rest in float32; dimensions from the fastest on."""
    dims, data, kind = tensor.dims, tensor.data, GGML_F32
    if name in ("encoder.conv1.bias", "encoder.conv2.bias"):
        dims = [*dims, 1]  # added to every position of the convolution's output
    if tensor.scale and len(dims) == 2:
        data, kind = in_blocks(tensor), GGML_Q8_0
    elif tensor.scale:
        weight = [struct.pack("<e", away(it, tensor) * tensor.scale) for it in range(256)]
        data, kind = b"".join(map(weight.__getitem__, tensor.data)), GGML_F16
    encoded = name.encode()
    yield struct.pack("<3i", len(dims), len(encoded), kind)
    yield struct.pack(f"<{len(dims)}i", *reversed(dims))
    yield encoded
    yield data


def away(byte: int, tensor: Tensor) -> int:
    """How far a byte is from the one that means zero."""
    return (byte - 256 if tensor.signed and byte > 127 else byte) - tensor.zero


def in_blocks(tensor: Tensor) -> bytes:
    """For each block a scale in float16, so that its largest weight is 127, and its weights by it."""
    sizes = tensor.data.translate(bytes(min(255, abs(away(it, tensor))) for it in range(256)))
    scales = [struct.pack("<e", size * tensor.scale / 127) for size in range(256)]
    tables = [scaled(size, tensor.zero, tensor.signed) for size in range(256)]
    blocks = []
    for at in range(0, len(sizes), BLOCK):
        largest = max(sizes[at : at + BLOCK])
        blocks.append(scales[largest])
        blocks.append(tensor.data[at : at + BLOCK].translate(tables[largest]))
    return b"".join(blocks)


@cache
def scaled(largest: int, zero: int, signed: bool) -> bytes:
    """What each byte becomes in a block whose largest is so far from zero: rounded, halves away from it."""
    tensor = Tensor([], b"", 1.0, zero, signed)
    table = bytearray(256)
    for byte in range(256):
        distance = away(byte, tensor)
        if largest and abs(distance) <= largest:
            size = (2 * 127 * abs(distance) + largest) // (2 * largest)
            table[byte] = (size if distance > 0 else -size) % 256
    return bytes(table)
