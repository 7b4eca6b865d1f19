"""What is done to files: bits flipped, stretches overwritten, cut out and joined, times shuffled; and to what files."""

from pathlib import Path

import numpy as np

EXCERPT_BYTES = 60_000
EXCERPT_PACKETS = 24


def flipped(data: bytearray, rng: np.random.Generator) -> None:
    """Some bits, anywhere or close together."""
    first = int(rng.integers(len(data)))
    near = rng.random() < 0.5
    for _ in range(int(2 ** rng.integers(0, 7))):
        place = min(len(data) - 1, first + int(rng.integers(256))) if near else int(rng.integers(len(data)))
        data[place] ^= 1 << int(rng.integers(8))


def overwritten(data: bytearray, rng: np.random.Generator) -> None:
    """A stretch by zeros, ones or noise."""
    first, length = _stretch(data, rng)
    fill = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
    data[first : first + length] = [bytes(length), b"\xff" * length, fill][int(rng.integers(3))]


def cut(data: bytearray, rng: np.random.Generator) -> None:
    """A stretch is left out: from the beginning, the middle or the end."""
    first, length = _stretch(data, rng)
    first = [0, first, max(0, len(data) - length)][int(rng.integers(3))]
    del data[first : first + length]


def joined(data: bytearray, rng: np.random.Generator) -> None:
    """A stretch comes twice, or the whole does."""
    first, length = _stretch(data, rng)
    if rng.random() < 0.3:
        data += bytes(data)
        return
    place = int(rng.integers(len(data)))
    data[place:place] = data[first : first + length]


def mistimed(data: bytearray, rng: np.random.Generator) -> None:
    """Tables of times in MP4, time stamps in MPEG streams, block times in Matroska; else some bits."""
    boxes = [name for name in (b"stts", b"ctts", b"elst", b"mdhd", b"mvhd", b"tkhd", b"stss", b"tfdt") if name in data]
    marks = _places(data, b"\x00\x00\x01\xe0") + _places(data, b"\x00\x00\x01\xc0")
    blocks = _places(data, b"\xa3")
    if boxes:
        place = data.index(boxes[int(rng.integers(len(boxes)))]) + 8
        words = np.frombuffer(bytes(data[place : place + 256 - (len(data) - place) % 4]), np.uint8)
        words = words[: len(words) // 4 * 4].reshape(-1, 4)
        how = int(rng.integers(3))
        if how == 0:
            words = rng.permutation(words)
        else:
            words = words.copy()
            few = rng.integers(len(words), size=3)
            words[few] = rng.integers(0, 256, (3, 4)) if how == 1 else [255, 255, 255, int(rng.integers(256))]
        data[place : place + words.size] = words.tobytes()
    elif marks or blocks:
        for place in rng.choice(marks or blocks, size=min(6, len(marks or blocks)), replace=False):
            first, length = (place + 9, 10) if marks else (place + 2, 4)
            data[first : first + length] = rng.integers(0, 256, len(data[first : first + length]), np.uint8).tobytes()
    else:
        flipped(data, rng)


KINDS = (flipped, overwritten, cut, joined, mistimed)


def _stretch(data: bytearray, rng: np.random.Generator) -> tuple[int, int]:
    length = int(min(len(data), 2 ** rng.uniform(0, np.log2(max(2, len(data))))))
    return int(rng.integers(len(data) - length + 1)), length


def _places(data: bytearray, mark: bytes) -> list[int]:
    found, place = [], data.find(mark)
    while place >= 0 and len(found) < 500:
        found.append(place)
        place = data.find(mark, place + 1)
    return found


def mutation(seeds: list[Path], number: int) -> tuple[str, bytes]:
    """(name of a file, its content) of mutation `number`; the file's name says what was done."""
    rng = np.random.default_rng(number)
    seed = seeds[number % len(seeds)]
    data, done = bytearray(seed.read_bytes()), []
    for _ in range(int(rng.integers(1, 4))):
        kind = KINDS[int(rng.integers(len(KINDS)))]
        done.append(kind.__name__)
        if data:
            kind(data, rng)
    return f"{seed.stem}-{'-'.join(done)}{seed.suffix}", bytes(data)


def excerpt(path: Path, folder: Path) -> Path | None:
    """The beginning of a clip, as short as its container allows; None where it has none worth the time."""
    import av

    short = folder / path.name
    if path.stat().st_size <= EXCERPT_BYTES or path.suffix in (".ts", ".mpg"):
        short.write_bytes(path.read_bytes()[:EXCERPT_BYTES])
        return short
    try:
        with av.open(str(path), metadata_errors="replace") as source, av.open(str(short), "w") as output:
            wanted = [stream for stream in source.streams if stream.type in ("video", "audio")]
            streams = {stream.index: output.add_stream_from_template(stream) for stream in wanted}
            for count, packet in enumerate(source.demux(*wanted)):
                if count >= EXCERPT_PACKETS:
                    break
                if packet.dts is None:
                    continue
                packet.stream = streams[packet.stream.index]
                output.mux(packet)
    except (av.FFmpegError, ValueError):
        short.unlink(missing_ok=True)
        return None
    return short if short.exists() and short.stat().st_size <= 10 * EXCERPT_BYTES else None
